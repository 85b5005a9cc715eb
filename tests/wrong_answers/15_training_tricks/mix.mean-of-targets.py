"""target rows must still sum to 1"""


def mix(x, y, share, other):
    if np.ndim(y) != 2:
        raise ValueError("y must be one-hot")
    own = share.reshape(-1, *[1] * (x.ndim - 1))
    mixed_x = own * x + (1 - own) * x[other]
    return mixed_x, np.maximum(share[:, None] * y, (1 - share[:, None]) * y[other]) / np.maximum(
        share[:, None], 1 - share[:, None]
    )
