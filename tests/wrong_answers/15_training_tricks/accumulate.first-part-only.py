"""each example must be used exactly once"""


def accumulate(gradient, x, y, size):
    return gradient(x[:size], y[:size])
