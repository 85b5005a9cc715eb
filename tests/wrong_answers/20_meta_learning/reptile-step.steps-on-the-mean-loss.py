"""before the mean is taken"""


def reptile_step(w, x, y, rate, steps, outer_rate):
    adapted = w
    for _ in range(steps):
        gradient = 2 / y.shape[1] * np.einsum("tnd,tn->td", x, x @ adapted - y)
        adapted = adapted - rate * gradient.mean(axis=0)
    return w + outer_rate * (adapted - w)
