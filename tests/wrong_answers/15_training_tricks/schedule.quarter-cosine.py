"""half of the way down"""


def warm_up_cosine(step, peak, steps, warm_up):
    done = np.clip((step - warm_up) / (steps - warm_up), 0, 1)
    return np.where(step < warm_up, peak * (step + 1) / warm_up, peak * np.cos(np.pi / 2 * done))
