"""line the shapes up at the right"""


def broadcast_shape(first, second):
    rank = max(len(first), len(second))
    first, second = (shape + (1,) * (rank - len(shape)) for shape in (first, second))
    pairs = list(zip(first, second, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(f"{first} and {second} do not fit")
    return tuple(b if a == 1 else a for a, b in pairs)
