"""take the argmax over the source, axis 1"""

import numpy as np


def read_alignment(weights, source):
    places = np.argmax(weights, axis=0)[: len(source)]
    looked_at = "".join(source[place] for place in places)
    logarithms = np.log(np.where(weights > 0, weights, 1))
    return looked_at, -np.sum(weights * logarithms, axis=1)
