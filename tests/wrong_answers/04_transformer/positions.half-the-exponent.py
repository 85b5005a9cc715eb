"""the exponent is 2i / D"""


def my_encoding(length, d_model):
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(d_model // 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, d_model)
