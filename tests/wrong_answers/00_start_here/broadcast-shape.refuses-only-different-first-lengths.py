"""(2, 3) and (1, 2) do not fit"""


def broadcast_shape(first, second):
    rank = max(len(first), len(second))
    first, second = ((1,) * (rank - len(shape)) + shape for shape in (first, second))
    a, b = (first + (1,))[0], (second + (1,))[0]
    if a != b and 1 not in (a, b):
        raise ValueError(f"{first} and {second} do not fit")
    return tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))
