"""it does not set it to 0"""


def read_masked(step, x, h, mask):
    for t in range(x.shape[1]):
        h = step(x[:, t], h) * mask[:, t, None]
    return h
