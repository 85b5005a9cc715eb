"""integer labels were accepted"""


def mix(x, y, share, other):
    own = share.reshape(-1, *[1] * (x.ndim - 1))
    mixed_x = own * x + (1 - own) * x[other]
    rows = share.reshape(-1, *[1] * (y.ndim - 1))
    return mixed_x, rows * y + (1 - rows) * y[other]
