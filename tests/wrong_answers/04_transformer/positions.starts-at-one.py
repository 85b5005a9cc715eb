"""the first place is 0"""


def my_encoding(length, d_model):
    angles = np.arange(1, length + 1)[:, None] / 10_000 ** (np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, d_model)
