"""never average over tasks"""


def inner_step(w, x, y, rate):
    error = np.einsum("tnd,td->tn", x, w) - y
    return w - rate * 2 / y.size * np.einsum("tnd,tn->td", x, error)
