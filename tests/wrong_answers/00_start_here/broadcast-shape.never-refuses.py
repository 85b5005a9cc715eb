"""neither is 1: raise ValueError"""


def broadcast_shape(first, second):
    rank = max(len(first), len(second))
    first, second = ((1,) * (rank - len(shape)) + shape for shape in (first, second))
    return tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))
