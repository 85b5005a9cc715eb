"""not the last alone"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    for i in np.argsort(-np.asarray(scores)):
        if not kept or overlap[i, kept[-1]] <= threshold:
            kept.append(int(i))
    return kept
