"""the workers' own arrays were changed"""


def doubling(arrays):
    count = len(arrays)
    if count & (count - 1) or not count:
        raise ValueError(f"{count} workers; it must be a power of two")
    sent, distance = 0, 1
    while distance < count:
        before = [np.copy(array) for array in arrays]
        for k in range(count):
            arrays[k] += before[k ^ distance]
        sent += before[0].nbytes
        distance *= 2
    return arrays, sent
