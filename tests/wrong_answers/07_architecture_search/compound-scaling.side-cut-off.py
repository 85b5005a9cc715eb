"""round the side to the nearest whole number"""


def scale_network(stages, side, phi):
    scaled = []
    for channels, repetitions in stages:
        exact = channels * 1.1**phi
        rounded = max(8, int(exact + 4) // 8 * 8)
        if rounded < 0.9 * exact:
            rounded += 8
        scaled.append((rounded, int(np.ceil(repetitions * 1.2**phi))))
    return scaled, int(side * 1.15**phi)
