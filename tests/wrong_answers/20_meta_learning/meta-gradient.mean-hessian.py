"""each has its own H"""


def meta_gradient(w, support, query, rate):
    (xs, ys), (xq, yq) = support, query
    adapted = w - rate * 2 / ys.shape[1] * np.einsum("tnd,tn->td", xs, xs @ w - ys)
    error = np.einsum("tnd,td->tn", xq, adapted) - yq
    gradient = 2 / yq.shape[1] * np.einsum("tnd,tn->td", xq, error)
    hessian = 2 / ys.shape[1] * np.einsum("tni,tnj->tij", xs, xs)
    mean = np.eye(len(w)) - rate * hessian.mean(axis=0)
    return mean @ gradient.mean(axis=0)
