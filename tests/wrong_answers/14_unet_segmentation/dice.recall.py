"""½ is the IoU or the recall"""


def dice_by_image(truth, found):
    shared = np.sum(truth & found, axis=(1, 2))
    return shared / np.maximum(np.sum(truth, axis=(1, 2)), 1)
