"""a batch smaller than `size` is one part"""


def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        total = total + gradient(x[part], y[part]) * len(x[part]) / max(len(x), size)
    return total
