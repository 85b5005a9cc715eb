"""that is a leak"""

import numpy as np


def standardise(x_train, x_test):
    everything = np.concatenate([x_train, x_test])
    mean, deviation = everything.mean(axis=0), everything.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (x_train - mean) / deviation, (x_test - mean) / deviation
