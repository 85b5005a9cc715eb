"""call each function exactly once"""


def dense_forward(x, steps):
    for step in steps:
        if step(x).shape[-1] > 0:
            x = np.concatenate([x, step(x)], axis=-1)
    return x
