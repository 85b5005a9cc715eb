"""it was read"""


def read_masked(step, x, h, mask):
    for t in range(x.shape[1]):
        h = step(x[:, t], h)
    return h
