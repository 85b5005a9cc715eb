"""more than `size` examples at once"""


def accumulate(gradient, x, y, size):
    return gradient(x, y)
