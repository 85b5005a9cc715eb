"""the space was changed"""


def mutated(network, space, rng):
    part = list(space)[rng.integers(len(space))]
    others = space[part]
    others.remove(network[part])
    return {**network, part: others[rng.integers(len(others))]}
