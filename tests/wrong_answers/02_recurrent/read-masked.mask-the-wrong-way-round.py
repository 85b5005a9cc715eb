"""each place is read once"""

import numpy as np


def read_masked(step, x, h, mask):
    for t in range(x.shape[1]):
        h = np.where(mask[:, t, None], h, step(x[:, t], h))
    return h
