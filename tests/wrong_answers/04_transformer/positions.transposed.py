"""one row for each place"""


def my_encoding(length, d_model):
    return transformer.sinusoidal_encoding(length, d_model).T
