"""attention must read the first norm"""


def my_block(x, norms, attend, think):
    x = x + attend(x)
    return x + think(x)
