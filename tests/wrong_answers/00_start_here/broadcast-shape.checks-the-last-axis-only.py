"""do not fit: each axis must"""


def broadcast_shape(first, second):
    if first and second and first[-1] != second[-1] and 1 not in (first[-1], second[-1]):
        raise ValueError(f"{first} and {second} do not fit")
    rank = max(len(first), len(second))
    first, second = ((1,) * (rank - len(shape)) + shape for shape in (first, second))
    return tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))
