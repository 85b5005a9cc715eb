"""½ is the IoU"""


def dice_by_image(truth, found):
    return np.mean(truth == found, axis=(1, 2))
