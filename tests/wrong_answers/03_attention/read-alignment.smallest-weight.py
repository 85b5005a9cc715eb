"""each row reads source[j]"""

import numpy as np


def read_alignment(weights, source):
    looked_at = "".join(source[min(p, len(source) - 1)] for p in np.argmin(weights, axis=1))
    logarithms = np.log(np.where(weights > 0, weights, 1))
    return looked_at, -np.sum(weights * logarithms, axis=1)
