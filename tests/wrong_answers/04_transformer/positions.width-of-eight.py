"""the formula must follow its arguments"""


def my_encoding(length, d_model):
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, d_model, 2) / 8)
    encoding = np.zeros((length, d_model))
    encoding[:, 0::2] = np.sin(angles)
    encoding[:, 1::2] = np.cos(angles)
    return encoding
