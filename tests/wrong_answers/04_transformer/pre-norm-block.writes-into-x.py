"""x was changed in place"""


def my_block(x, norms, attend, think):
    x += attend(norms[0](x))
    x += think(norms[1](x))
    return x
