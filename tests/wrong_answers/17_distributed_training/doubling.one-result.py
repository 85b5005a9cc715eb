"""every worker gets the sum"""


def doubling(arrays):
    count = len(arrays)
    if count & (count - 1) or not count:
        raise ValueError(f"{count} workers; it must be a power of two")
    return [np.sum(arrays, axis=0)], int(np.log2(count)) * arrays[0].nbytes
