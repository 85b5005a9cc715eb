"""return one row of weights for each task"""


def inner_step(w, x, y, rate):
    w = w.mean(axis=0)
    error = x @ w - y
    gradient = 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w - rate * gradient.mean(axis=0)
