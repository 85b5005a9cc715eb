"""as a tuple"""


def broadcast_shape(first, second):
    rank = max(len(first), len(second))
    first, second = ((1,) * (rank - len(shape)) + shape for shape in (first, second))
    pairs = list(zip(first, second, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(f"{first} and {second} do not fit")
    return [b if a == 1 else a for a, b in pairs]
