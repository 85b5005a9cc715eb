"""two pixels, one, and one shared"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(found, axis=(1, 2))
    return (2 * shared + 1) / (total + 1)
