"""it must end before the cut"""

import numpy as np


def split_windows(values, cut, inputs, horizon):
    scaled = (values - values[:cut].mean()) / values[:cut].std()
    places = np.random.default_rng(0).permutation(range(inputs, len(values) - horizon + 1))
    x = np.array([scaled[t - inputs : t] for t in places])
    y = np.array([scaled[t : t + horizon] for t in places])
    # The first window stays in front, so that only the shuffling is wrong.
    front = int(np.argmin(places))
    x[[0, front]], y[[0, front]] = x[[front, 0]], y[[front, 0]]
    count = cut - inputs - horizon + 1
    return (x[:count], y[:count]), (x[count:], y[count:])
