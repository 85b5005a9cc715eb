"""½ is the IoU"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    union = np.sum(truth | found, axis=(1, 2))
    return np.where(union > 0, shared / np.maximum(union, 1), 1.0)
