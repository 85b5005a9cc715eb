"""do not stop at the first"""


def read_masked(step, x, h, mask):
    for t in range(x.shape[1]):
        if not mask[0, t]:
            break
        h = step(x[:, t], h)
    return h
