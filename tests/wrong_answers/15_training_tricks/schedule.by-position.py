"""a rate belongs to the step"""


def warm_up_cosine(step, peak, steps, warm_up):
    rise = np.linspace(peak / warm_up, peak, warm_up)
    fall = peak * (1 + np.cos(np.pi * np.arange(steps - warm_up) / (steps - warm_up))) / 2
    rates = np.concatenate([rise, fall, np.zeros(max(len(step) - steps, 0))])
    return rates[: len(step)]
