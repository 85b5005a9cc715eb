"""a constant column has standard deviation 0"""


def standardise(x_train, x_test):
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    return (x_train - mean) / deviation, (x_test - mean) / deviation
