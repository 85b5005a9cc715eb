"""x_train was changed in place"""

import numpy as np


def standardise(x_train, x_test):
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    x_train -= mean
    x_train /= deviation
    return x_train, (x_test - mean) / deviation
