"""never average over tasks"""


def inner_step(w, x, y, rate):
    error = x @ w.mean(axis=0) - y
    return w - rate * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
