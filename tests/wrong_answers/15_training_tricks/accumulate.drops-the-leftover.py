"""the leftover was dropped"""


def accumulate(gradient, x, y, size):
    count = max(len(x) // size, 1)
    parts = [slice(i * size, (i + 1) * size) for i in range(count)]
    return np.mean([gradient(x[part], y[part]) for part in parts], axis=0)
