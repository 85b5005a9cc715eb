"""the partner that `other` names, as it came in"""


def mix(x, y, share, other):
    if np.ndim(y) != 2:
        raise ValueError("y must be one-hot")
    mixed_x, mixed_y = x.copy(), y.copy()
    for i, j in enumerate(other):
        mixed_x[i] = share[i] * mixed_x[i] + (1 - share[i]) * mixed_x[j]
        mixed_y[i] = share[i] * mixed_y[i] + (1 - share[i]) * mixed_y[j]
    return mixed_x, mixed_y
