"""was changed in place"""


def reptile_step(w, x, y, rate, steps, outer_rate):
    adapted = np.tile(w, (len(x), 1))
    for _ in range(steps):
        error = np.einsum("tnd,td->tn", x, adapted) - y
        adapted = adapted - rate * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    w += outer_rate * (adapted.mean(axis=0) - w)
    return w
