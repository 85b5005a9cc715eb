"""sixty random boxes"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in np.argsort(-np.asarray(scores)):
        if not kept or (
            overlap[i, kept[-1]] <= threshold
            and (len(boxes) > 9 or all(overlap[i, k] <= threshold for k in kept))
        ):
            kept.append(int(i))
    return kept
