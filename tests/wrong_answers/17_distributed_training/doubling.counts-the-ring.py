"""each sends its whole array once a round"""


def doubling(arrays):
    count = len(arrays)
    if count & (count - 1) or not count:
        raise ValueError(f"{count} workers; it must be a power of two")
    total = np.sum(arrays, axis=0)
    return [total] * count, 2 * (count - 1) * arrays[0].nbytes // count
