"""work on a copy"""


def suppress(boxes, scores, threshold):
    overlap, kept = detection.box_iou(boxes, boxes), []
    while scores.max() > -np.inf:
        best = int(np.argmax(scores))
        kept.append(best)
        scores[overlap[best] > threshold] = -np.inf
        scores[best] = -np.inf
    return kept
