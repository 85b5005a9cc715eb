"""the list that came in was changed"""


def scale_network(stages, side, phi):
    for i, (channels, repetitions) in enumerate(stages):
        exact = channels * 1.1**phi
        rounded = max(8, int(exact + 4) // 8 * 8)
        if rounded < 0.9 * exact:
            rounded += 8
        stages[i] = (rounded, int(np.ceil(repetitions * 1.2**phi)))
    return stages, round(side * 1.15**phi)
