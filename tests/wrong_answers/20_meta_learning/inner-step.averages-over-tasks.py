"""never average over tasks"""


def inner_step(w, x, y, rate):
    error = np.einsum("tnd,td->tn", x, w) - y
    gradient = 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w - rate * gradient.mean(axis=0)
