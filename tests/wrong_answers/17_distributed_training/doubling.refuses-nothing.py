"""some worker has no partner"""


def doubling(arrays):
    count = len(arrays)
    held, sent, distance = [np.copy(array) for array in arrays], 0, 1
    while distance < count:
        held = [held[k] + held[k ^ distance] for k in range(count)]
        sent += held[0].nbytes
        distance *= 2
    return held, sent
