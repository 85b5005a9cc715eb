"""overwritten: only the last part is left"""


def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        total = gradient(x[part], y[part])
    return total
