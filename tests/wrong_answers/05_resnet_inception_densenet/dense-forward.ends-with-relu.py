"""the input comes first, unchanged"""


def dense_forward(x, steps):
    for step in steps:
        x = np.concatenate([x, step(x)], axis=-1)
    return np.maximum(x, 0)
