"""with sub-layers that add nothing"""


def my_block(x, norms, attend, think):
    x = attend(norms[0](x))
    return think(norms[1](x))
