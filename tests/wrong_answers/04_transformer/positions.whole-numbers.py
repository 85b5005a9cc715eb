"""as whole numbers the sines are cut off"""


def my_encoding(length, d_model):
    places, features = np.arange(length)[:, None], np.arange(0, d_model, 2)
    encoding = np.zeros((length, d_model), int)
    encoding[:, 0::2] = np.sin(places / 10_000 ** (features / d_model))
    encoding[:, 1::2] = np.cos(places / 10_000 ** (features / d_model))
    return encoding
