"""each reads the input and all outputs before it"""


def dense_forward(x, steps):
    first = x
    for step in steps:
        x = np.concatenate([first, x, step(x)], axis=-1)
    return x
