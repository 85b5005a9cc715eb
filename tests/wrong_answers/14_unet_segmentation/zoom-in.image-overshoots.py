"""or overshoots"""


def zoom_in(image, mask, rng):
    side = len(image)
    top, left = rng.integers(side // 2 + 1, size=2)
    cut = np.s_[top : top + side // 2, left : left + side // 2]
    enlarged = keras.ops.image.resize(image[cut], (side, side), "bicubic")
    return np.asarray(enlarged), mask[cut].repeat(2, axis=0).repeat(2, axis=1)
