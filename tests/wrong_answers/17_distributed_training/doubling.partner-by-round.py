"""the partner in round r is k ^ 2**r"""


def doubling(arrays):
    count = len(arrays)
    if count & (count - 1) or not count:
        raise ValueError(f"{count} workers; it must be a power of two")
    held, sent = [np.copy(array) for array in arrays], 0
    for turn in range(int(np.log2(count))):
        held = [held[k] + held[k ^ turn] for k in range(count)]
        sent += held[0].nbytes
    return held, sent
