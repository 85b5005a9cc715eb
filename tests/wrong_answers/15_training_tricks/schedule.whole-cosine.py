"""it falls all the way: half a cosine"""


def warm_up_cosine(step, peak, steps, warm_up):
    done = np.clip((step - warm_up) / (steps - warm_up), 0, 1)
    return np.where(
        step < warm_up, peak * (step + 1) / warm_up, peak * (1 + np.cos(2 * np.pi * done)) / 2
    )
