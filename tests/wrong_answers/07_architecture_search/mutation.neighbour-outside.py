"""the new value is not one of the space"""


def mutated(network, space, rng):
    numbers = [part for part in space if part != "kind"]
    part = numbers[rng.integers(len(numbers))]
    return {**network, part: 2 * network[part] if part == "width" else network[part] + 2}
