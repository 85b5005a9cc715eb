"""that of S?"""


def meta_gradient(w, support, query, rate):
    (xs, ys), (xq, yq) = support, query
    adapted = w - rate * 2 / ys.shape[1] * np.einsum("tnd,tn->td", xs, xs @ w - ys)
    error = np.einsum("tnd,td->tn", xq, adapted) - yq
    gradient = 2 / yq.shape[1] * np.einsum("tnd,tn->td", xq, error)
    hessian = 2 / yq.shape[1] * np.einsum("tni,tnj->tij", xq, xq)
    through = gradient - rate * np.einsum("tij,tj->ti", hessian, gradient)
    return through.mean(axis=0)
