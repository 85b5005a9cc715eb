"""must have the same angle"""


def my_encoding(length, d_model):
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(d_model) / d_model)
    return np.where(np.arange(d_model) % 2, np.cos(angles), np.sin(angles))
