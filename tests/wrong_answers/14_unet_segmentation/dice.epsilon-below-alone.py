"""0 / 0 must give 1"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(found, axis=(1, 2))
    return 2 * shared / (total + 1e-9)
