"""two pixels, one, and one shared"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(found, axis=(1, 2))
    return np.where(total > 0, shared / np.maximum(total, 1), 1.0)
