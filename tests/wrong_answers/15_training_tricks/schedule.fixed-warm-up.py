"""`steps` and `warm_up` must be used"""


def warm_up_cosine(step, peak, steps, warm_up):
    warm_up = steps // 5
    done = np.clip((step - warm_up) / (steps - warm_up), 0, 1)
    return np.where(
        step < warm_up, peak * (step + 1) / warm_up, peak * (1 + np.cos(np.pi * done)) / 2
    )
