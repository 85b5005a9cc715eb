"""every child is the same"""


def mutated(network, space, rng):
    rng = np.random.default_rng(0)
    part = list(space)[rng.integers(len(space))]
    others = [value for value in space[part] if value != network[part]]
    return {**network, part: others[rng.integers(len(others))]}
