"""a child is a dictionary"""


def mutated(network, space, rng):
    part = list(space)[rng.integers(len(space))]
    others = [value for value in space[part] if value != network[part]]
    return others[rng.integers(len(others))]
