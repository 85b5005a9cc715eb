"""round to the nearest multiple of 8"""


def scale_network(stages, side, phi):
    scaled = []
    for channels, repetitions in stages:
        exact = channels * 1.1**phi
        rounded = int(np.ceil(exact / 8)) * 8
        scaled.append((rounded, int(np.ceil(repetitions * 1.2**phi))))
    return scaled, round(side * 1.15**phi)
