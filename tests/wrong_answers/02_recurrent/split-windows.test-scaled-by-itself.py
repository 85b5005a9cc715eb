"""the one scale of the past"""

import numpy as np


def split_windows(values, cut, inputs, horizon):
    before, after = values[:cut], values[cut - inputs :]

    def windows(part):
        scaled = (part - part.mean()) / part.std()
        places = range(inputs, len(part) - horizon + 1)
        x = np.array([scaled[t - inputs : t] for t in places])
        return x, np.array([scaled[t : t + horizon] for t in places])

    return windows(before), windows(after)
