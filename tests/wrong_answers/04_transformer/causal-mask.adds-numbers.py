"""numbers are no mask here"""


def my_causal_mask(length):
    return np.triu(np.full((length, length), -1e9), 1)
