"""another call must obey them"""

import numpy as np


def split_windows(values, cut, inputs, horizon):
    cut, inputs, horizon = 30, 5, 3
    scaled = (values - values[:cut].mean()) / values[:cut].std()

    def windows(places):
        x = np.array([scaled[t - inputs : t] for t in places])
        return x, np.array([scaled[t : t + horizon] for t in places])

    train_places = range(inputs, cut - horizon + 1)
    return windows(train_places), windows(range(cut, len(values) - horizon + 1))
