"""Smoothing belongs in the loss"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(found, axis=(1, 2))
    return (2 * shared + 1e-7) / (total + 1e-7)
