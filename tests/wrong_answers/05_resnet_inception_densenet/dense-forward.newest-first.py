"""the input comes first, unchanged"""


def dense_forward(x, steps):
    for step in steps:
        x = np.concatenate([step(x), x], axis=-1)
    return x
