"""each sends its whole array once a round"""


def doubling(arrays):
    count = len(arrays)
    if count & (count - 1) or not count:
        raise ValueError(f"{count} workers; it must be a power of two")
    held, sent, distance = [np.copy(array) for array in arrays], 0, 1
    while distance < count:
        held = [held[k] + held[k ^ distance] for k in range(count)]
        sent += held[0].size
        distance *= 2
    return held, sent
