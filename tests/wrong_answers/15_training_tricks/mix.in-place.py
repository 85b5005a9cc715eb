"""was changed in place"""


def mix(x, y, share, other):
    if np.ndim(y) != 2:
        raise ValueError("y must be one-hot")
    for i, j in enumerate(other):
        x[i] = share[i] * x[i] + (1 - share[i]) * x[j]
        y[i] = share[i] * y[i] + (1 - share[i]) * y[j]
    return x, y
