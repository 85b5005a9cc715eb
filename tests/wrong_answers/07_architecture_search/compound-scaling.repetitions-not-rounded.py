"""a stage has whole repetitions"""


def scale_network(stages, side, phi):
    scaled = []
    for channels, repetitions in stages:
        exact = channels * 1.1**phi
        rounded = max(8, int(exact + 4) // 8 * 8)
        if rounded < 0.9 * exact:
            rounded += 8
        scaled.append((rounded, repetitions * 1.2**phi))
    return scaled, round(side * 1.15**phi)
