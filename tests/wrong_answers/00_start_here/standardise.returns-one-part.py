"""return two arrays"""

import numpy as np


def standardise(x_train, x_test):
    constant = x_train.max(axis=0) == x_train.min(axis=0)
    mean, deviation = x_train.mean(axis=0), np.where(constant, 1, x_train.std(axis=0))
    return (x_test - mean) / deviation
