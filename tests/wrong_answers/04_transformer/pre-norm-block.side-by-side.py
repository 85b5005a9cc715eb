"""the second sub-layer reads the second norm"""


def my_block(x, norms, attend, think):
    return x + attend(norms[0](x)) + think(norms[1](x))
