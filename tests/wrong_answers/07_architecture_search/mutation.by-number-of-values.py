"""each part must be changed equally often"""


def mutated(network, space, rng):
    pairs = [(p, v) for p, values in space.items() for v in values if v != network[p]]
    part, value = pairs[rng.integers(len(pairs))]
    return {**network, part: value}
