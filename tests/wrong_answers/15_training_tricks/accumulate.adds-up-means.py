"""a sum of means is too large"""


def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        total = total + gradient(x[part], y[part])
    return total
