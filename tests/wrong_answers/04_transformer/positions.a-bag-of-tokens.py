"""two places have the same vector"""


def my_encoding(length, d_model):
    return np.zeros((length, d_model))
