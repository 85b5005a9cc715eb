"""the input is lost"""


def my_block(x, norms, attend, think):
    read = attend(norms[0](x))
    x = x + read if not read.any() else read
    return x + think(norms[1](x))
