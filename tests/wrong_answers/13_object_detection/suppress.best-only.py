"""boxes apart stay"""


def suppress(boxes, scores, threshold):
    return [int(np.argmax(scores))]
