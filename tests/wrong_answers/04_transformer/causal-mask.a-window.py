"""the mask must follow its argument"""


def my_causal_mask(length):
    back = np.arange(length)[:, None] - np.arange(length)[None, :]
    return (back >= 0) & (back < 8)
