"""weigh each part by its size"""


def accumulate(gradient, x, y, size):
    parts = [slice(start, start + size) for start in range(0, len(x), size)]
    return np.mean([gradient(x[part], y[part]) for part in parts], axis=0)
