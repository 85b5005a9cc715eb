"""a row of padding alone"""


def read_masked(step, x, h, mask):
    for t in range(x.shape[1]):
        h = step(x[:, t], h) if mask[:, t].any() else h
    return h
