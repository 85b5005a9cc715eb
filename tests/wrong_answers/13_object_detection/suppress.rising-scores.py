"""by falling score"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in np.argsort(scores):
        if all(overlap[i, k] <= threshold for k in kept):
            kept.append(int(i))
    return kept
