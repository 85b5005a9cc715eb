"""more than one part was changed"""


def mutated(network, space, rng):
    child = {}
    for part, values in space.items():
        others = [value for value in values if value != network[part]]
        child[part] = others[rng.integers(len(others))]
    return child
