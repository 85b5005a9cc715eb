"""each reads the input and all outputs before it"""


def dense_forward(x, steps):
    return np.concatenate([x, *(step(x) for step in steps)], axis=-1)
