"""cut x and y at the same places"""


def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        total = total + gradient(x[part], y) * len(x[part]) / len(x)
    return total
