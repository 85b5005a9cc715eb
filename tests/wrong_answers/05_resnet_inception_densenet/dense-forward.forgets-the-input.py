"""the block returns input and all outputs"""


def dense_forward(x, steps):
    channels = x.shape[-1]
    for step in steps:
        x = np.concatenate([x, step(x)], axis=-1)
    return x[..., channels:]
