"""the warm-up is a line"""


def warm_up_cosine(step, peak, steps, warm_up):
    done = np.clip((step - warm_up) / (steps - warm_up), 0, 1)
    return np.where(step < warm_up, peak, peak * (1 + np.cos(np.pi * done)) / 2)
