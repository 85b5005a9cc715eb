"""something found where nothing is"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(found, axis=(1, 2))
    empty = ~truth.any(axis=(1, 2))
    return np.where(empty, 1.0, 2 * shared / np.maximum(total, 1))
