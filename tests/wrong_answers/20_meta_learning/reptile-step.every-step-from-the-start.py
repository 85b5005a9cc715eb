"""take every step from the last"""


def reptile_step(w, x, y, rate, steps, outer_rate):
    error = x @ w - y
    gradient = 2 / y.shape[1] * np.einsum("tnd,tn->td", x, error)
    return w - outer_rate * steps * rate * gradient.mean(axis=0)
