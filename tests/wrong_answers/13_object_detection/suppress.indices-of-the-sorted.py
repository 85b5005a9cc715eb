"""given indices"""


def suppress(boxes, scores, threshold):
    boxes = boxes[np.argsort(-scores)]
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in range(len(boxes)):
        if all(overlap[i, k] <= threshold for k in kept):
            kept.append(i)
    return kept
