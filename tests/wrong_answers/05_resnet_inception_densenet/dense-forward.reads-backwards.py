"""what a layer read is the beginning of the result"""


def dense_forward(x, steps):
    order = list(steps)
    for step in order:
        x = np.concatenate([x, step(x[..., ::-1])], axis=-1)
    return x
