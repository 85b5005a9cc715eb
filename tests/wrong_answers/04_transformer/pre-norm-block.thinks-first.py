"""first attend, then think"""


def my_block(x, norms, attend, think):
    x = x + think(norms[1](x))
    return x + attend(norms[0](x))
