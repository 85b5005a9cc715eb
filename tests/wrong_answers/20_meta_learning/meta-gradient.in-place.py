"""was changed in place"""


def meta_gradient(w, support, query, rate):
    total = 0
    for xs, ys, xq, yq in zip(*support, *query, strict=True):
        adapted = w
        adapted -= rate * 2 / len(ys) * xs.T @ (xs @ w - ys)
        gradient = 2 / len(yq) * xq.T @ (xq @ adapted - yq)
        total = total + gradient - rate * 2 / len(ys) * xs.T @ (xs @ gradient)
    return total / len(support[0])
