"""a block of no layers returns its input"""


def dense_forward(x, steps):
    result = None
    for step in steps:
        x = result = np.concatenate([x, step(x)], axis=-1)
    return result
