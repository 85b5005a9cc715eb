"""x_test was scaled by its own figures"""

import numpy as np


def standardise(x_train, x_test):
    return _standardised(x_train), _standardised(x_test)


def _standardised(x):
    deviation = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(deviation == 0, 1, deviation)
