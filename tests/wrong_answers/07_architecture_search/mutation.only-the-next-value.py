"""some value is never reached"""


def mutated(network, space, rng):
    part = list(space)[rng.integers(len(space))]
    values = space[part]
    return {**network, part: values[(values.index(network[part]) + 1) % len(values)]}
