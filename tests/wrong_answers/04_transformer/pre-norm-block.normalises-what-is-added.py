"""the input is lost, or what attention adds to it"""


def my_block(x, norms, attend, think):
    x = x + norms[0](attend(x))
    return x + norms[1](think(x))
