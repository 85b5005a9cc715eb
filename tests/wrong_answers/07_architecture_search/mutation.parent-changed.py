"""the parent was changed"""


def mutated(network, space, rng):
    part = list(space)[rng.integers(len(space))]
    others = [value for value in space[part] if value != network[part]]
    network[part] = others[rng.integers(len(others))]
    return network
