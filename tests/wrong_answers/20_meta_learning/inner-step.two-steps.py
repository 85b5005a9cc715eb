"""no more"""


def inner_step(w, x, y, rate):
    for _ in range(2):
        error = np.einsum("tnd,td->tn", x, w) - y
        w = w - rate * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w
