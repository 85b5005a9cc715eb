"""a box that is dropped drops no other"""


def suppress(boxes, scores, threshold):
    overlap = detection.box_iou(boxes, boxes)
    order = [int(i) for i in np.argsort(-np.asarray(scores))]
    kept = order[:1]
    for before, i in zip(order, order[1:], strict=False):
        if overlap[i, before] <= threshold:
            kept.append(i)
    return kept
