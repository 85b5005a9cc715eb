"""was changed in place"""


def inner_step(w, x, y, rate):
    error = np.einsum("tnd,td->tn", x, w) - y
    w -= rate * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w
