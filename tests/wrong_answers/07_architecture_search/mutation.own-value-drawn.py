"""nothing was changed"""


def mutated(network, space, rng):
    part = list(space)[rng.integers(len(space))]
    return {**network, part: space[part][rng.integers(len(space[part]))]}
