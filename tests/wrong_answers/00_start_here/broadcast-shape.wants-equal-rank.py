"""line the shapes up at the right"""


def broadcast_shape(first, second):
    if len(first) != len(second):
        raise ValueError(f"{first} and {second} have different ranks")
    pairs = list(zip(first, second, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(f"{first} and {second} do not fit")
    return tuple(b if a == 1 else a for a, b in pairs)
