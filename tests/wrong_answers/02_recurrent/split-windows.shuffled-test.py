"""not in the order of time"""

import numpy as np


def split_windows(values, cut, inputs, horizon):
    scaled = (values - values[:cut].mean()) / values[:cut].std()

    def windows(places):
        x = np.array([scaled[t - inputs : t] for t in places])
        return x, np.array([scaled[t : t + horizon] for t in places])

    train_places = range(inputs, cut - horizon + 1)
    test_places = [cut, *range(len(values) - horizon, cut, -1)]
    return windows(train_places), windows(test_places)
