"""each reads the input and all outputs before it"""


def dense_forward(x, steps):
    for step in steps:
        new = step(x)
        x = x + new if new.shape == x.shape else np.concatenate([x, new], axis=-1)
    return x
