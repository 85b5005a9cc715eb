"""each column needs standard deviation 1"""

import numpy as np


def standardise(x_train, x_test):
    mean, variance = x_train.mean(axis=0), x_train.var(axis=0)
    variance = np.where(variance == 0, 1, variance)
    return (x_train - mean) / variance, (x_test - mean) / variance
