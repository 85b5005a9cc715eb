"""this is first-order MAML"""


def meta_gradient(w, support, query, rate):
    (xs, ys), (xq, yq) = support, query
    adapted = w - rate * 2 / ys.shape[1] * np.einsum("tnd,tn->td", xs, xs @ w - ys)
    error = np.einsum("tnd,td->tn", xq, adapted) - yq
    gradient = 2 / yq.shape[1] * np.einsum("tnd,tn->td", xq, error)
    return gradient.mean(axis=0)
