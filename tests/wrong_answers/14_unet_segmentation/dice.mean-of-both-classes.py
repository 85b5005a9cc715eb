"""½ is the IoU"""


def dice_by_image(truth, found):
    halves = []
    for a, b in ((truth, found), (~truth, ~found)):
        shared = np.sum(a & b, axis=(1, 2))
        halves.append(2 * shared / (np.sum(a, axis=(1, 2)) + np.sum(b, axis=(1, 2))).clip(min=1))
    return np.mean(halves, axis=0)
