"""with equal parts it must be the mean"""


def accumulate(gradient, x, y, size):
    total = 0
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        total = total + gradient(x[part], y[part]) / size**2
    return total
