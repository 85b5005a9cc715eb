"""each reads the input and all outputs before it"""


def dense_forward(x, steps):
    for step in steps:
        new = step(x)
        axis = -1 if new.shape[-1] != x.shape[-1] else 1
        x = np.concatenate([x, new], axis=axis)
    return x
