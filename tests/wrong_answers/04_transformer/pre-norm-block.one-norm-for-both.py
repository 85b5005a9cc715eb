"""the second sub-layer reads the second norm"""


def my_block(x, norms, attend, think):
    x = x + attend(norms[0](x))
    return x + think(norms[0](x))
