""": it is"""


def iou(a, b):
    one, other = (
        {(x, y) for x in range(int(c[0]), int(c[2])) for y in range(int(c[1]), int(c[3]))}
        for c in (a, b)
    )
    return len(one & other) / len(one | other) if one | other else 0.0
