"""channels are rounded to multiples of 8"""


def scale_network(stages, side, phi):
    scaled = []
    for channels, repetitions in stages:
        exact = channels * 1.1**phi
        rounded = round(exact)
        scaled.append((rounded, int(np.ceil(repetitions * 1.2**phi))))
    return scaled, round(side * 1.15**phi)
