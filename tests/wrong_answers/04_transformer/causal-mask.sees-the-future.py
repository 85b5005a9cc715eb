"""the first place sees the future"""


def my_causal_mask(length):
    return np.triu(np.ones((length, length), bool))
