"""weigh each part by its size"""


def accumulate(gradient, x, y, size):
    parts = range(0, len(x), size)
    total = 0
    for start in parts:
        stop = min(start + size, len(x))
        total = total + gradient(x[start:stop], y[start:stop]) * (stop - start)
    return total / (len(parts) * size)
