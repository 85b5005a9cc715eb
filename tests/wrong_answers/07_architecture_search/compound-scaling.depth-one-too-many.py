"""repetitions grow by α = 1.2 for each step, and not further"""


def scale_network(stages, side, phi):
    scaled = []
    for channels, repetitions in stages:
        exact = channels * 1.1**phi
        rounded = max(8, int(exact + 4) // 8 * 8)
        if rounded < 0.9 * exact:
            rounded += 8
        scaled.append((rounded, int(np.ceil(repetitions * 1.2**phi)) + (phi > 0)))
    return scaled, round(side * 1.15**phi)
