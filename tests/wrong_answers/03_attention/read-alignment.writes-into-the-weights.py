"""work on a new array"""

import numpy as np


def read_alignment(weights, source):
    looked_at = "".join(source[place] for place in np.argmax(weights, axis=1))
    weights[weights == 0] = 1
    return looked_at, -np.sum(weights * np.log(weights), axis=1)
