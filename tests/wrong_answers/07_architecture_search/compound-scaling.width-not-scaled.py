"""channels grow by β = 1.1"""


def scale_network(stages, side, phi):
    scaled = [(channels, int(np.ceil(deep * 1.2**phi))) for channels, deep in stages]
    return scaled, round(side * 1.15**phi)
