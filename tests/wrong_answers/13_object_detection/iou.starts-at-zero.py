""": it is"""


def iou(a, b):
    width = max(0, min(a[2], b[2]) - max(0, a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(0, a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    union = sum(areas) - width * height
    return width * height / union if union else 0.0
