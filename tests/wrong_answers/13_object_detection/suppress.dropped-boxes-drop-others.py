"""a box that is dropped drops no other"""


def suppress(boxes, scores, threshold):
    overlap = detection.box_iou(boxes, boxes)
    order = [int(i) for i in np.argsort(-np.asarray(scores))]
    return [
        i for place, i in enumerate(order) if all(overlap[i, k] <= threshold for k in order[:place])
    ]
