"""the same rng must give the same child"""


def mutated(network, space, rng):
    part = list(space)[np.random.randint(len(space))]
    others = [value for value in space[part] if value != network[part]]
    return {**network, part: others[np.random.randint(len(others))]}
