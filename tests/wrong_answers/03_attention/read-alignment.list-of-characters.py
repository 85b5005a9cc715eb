"""join the characters"""

import numpy as np


def read_alignment(weights, source):
    looked_at = [source[place] for place in np.argmax(weights, axis=1)]
    logarithms = np.log(np.where(weights > 0, weights, 1))
    return looked_at, -np.sum(weights * logarithms, axis=1)
