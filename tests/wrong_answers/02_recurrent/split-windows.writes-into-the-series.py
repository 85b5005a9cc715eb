"""the caller's series was changed"""

import numpy as np


def split_windows(values, cut, inputs, horizon):
    values -= values[:cut].mean()
    values /= values[:cut].std()
    scaled = values

    def windows(places):
        x = np.array([scaled[t - inputs : t] for t in places])
        return x, np.array([scaled[t : t + horizon] for t in places])

    train_places = range(inputs, cut - horizon + 1)
    return windows(train_places), windows(range(cut, len(values) - horizon + 1))
