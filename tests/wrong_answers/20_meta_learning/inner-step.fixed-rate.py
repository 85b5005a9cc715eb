"""the rate must scale the step"""


def inner_step(w, x, y, rate):
    error = np.einsum("tnd,td->tn", x, w) - y
    return w - 0.1 * 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
