"""x may have any number of axes"""


def mix(x, y, share, other):
    if np.ndim(y) != 2:
        raise ValueError("y must be one-hot")
    own = share[:, None, None, None]
    if x.ndim == 4:
        mixed_x = own * x + (1 - own) * x[other]
    else:
        mixed_x = share[0] * x + (1 - share[0]) * x[other]
    return mixed_x, share[:, None] * y + (1 - share[:, None]) * y[other]
