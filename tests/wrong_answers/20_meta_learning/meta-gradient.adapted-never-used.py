"""the adapted weights are never used"""


def meta_gradient(w, support, query, rate):
    (xs, ys), (xq, yq) = support, query
    _ = w - rate * 2 / ys.shape[1] * np.einsum("tnd,tn->td", xs, xs @ w - ys)
    error = xq @ w - yq
    return np.mean(2 / yq.shape[1] * np.einsum("tnd,tn->td", xq, error), axis=0)
