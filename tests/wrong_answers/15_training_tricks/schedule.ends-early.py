"""the rate is 0 one step early"""


def warm_up_cosine(step, peak, steps, warm_up):
    done = np.clip((step - warm_up) / (steps - warm_up - 1), 0, 1)
    return np.where(
        step < warm_up, peak * (step + 1) / warm_up, peak * (1 + np.cos(np.pi * done)) / 2
    )
