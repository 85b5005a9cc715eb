"""iou changed the boxes"""


def iou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    for box in (a, b):
        box[2] -= box[0]
        box[3] -= box[1]
    union = a[2] * a[3] + b[2] * b[3] - width * height
    return width * height / union if union else 0.0
