"""one row for each query"""


def my_causal_mask(length):
    return np.tril(np.ones((1, length, length), bool))
