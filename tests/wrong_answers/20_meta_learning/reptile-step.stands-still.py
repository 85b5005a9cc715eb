"""the start does not move towards"""


def reptile_step(w, x, y, rate, steps, outer_rate):
    adapted = np.tile(w, (len(x), 1))
    for _ in range(steps):
        error = np.einsum("tnd,td->tn", x, adapted) - y
        rate * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w + outer_rate * (adapted.mean(axis=0) - w)
