"""the sum itself is never normalised"""


def my_block(x, norms, attend, think):
    x = norms[0](x)
    x = x + attend(x)
    x = norms[1](x)
    return x + think(x)
