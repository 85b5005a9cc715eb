"""a cosine would come back up"""


def warm_up_cosine(step, peak, steps, warm_up):
    done = (step - warm_up) / (steps - warm_up)
    return np.where(
        step < warm_up, peak * (step + 1) / warm_up, peak * (1 + np.cos(np.pi * done)) / 2
    )
