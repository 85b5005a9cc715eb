"""x belongs to the caller"""


def dense_forward(x, steps):
    result = np.array(x)
    for step in steps:
        result = np.concatenate([result, step(result)], axis=-1)
    x[...] = 0
    return result
