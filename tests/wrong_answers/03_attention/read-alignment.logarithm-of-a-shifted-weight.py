"""entropy is −Σ w log w of each row"""

import numpy as np


def read_alignment(weights, source):
    looked_at = "".join(source[place] for place in np.argmax(weights, axis=1))
    spread = -np.sum(weights * np.log(weights + 1e-3), axis=1)
    spread[np.ptp(weights, axis=1) == 0] = np.log(weights.shape[1])
    return looked_at, spread
