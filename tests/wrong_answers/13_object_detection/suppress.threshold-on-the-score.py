"""a single box stays"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in np.argsort(-np.asarray(scores)):
        if scores[i] >= threshold and all(overlap[i, k] <= threshold for k in kept):
            kept.append(int(i))
    return kept
