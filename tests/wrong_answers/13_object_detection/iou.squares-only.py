"""x stands at places 0 and 2, y at 1 and 3"""


def iou(a, b):
    side = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    union = (a[2] - a[0]) ** 2 + (b[2] - b[0]) ** 2 - side**2
    return side**2 / union if union else 0.0
