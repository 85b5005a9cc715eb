"""draw from rng alone"""


def zoom_in(image, mask, rng):
    side = len(image)
    top, left = np.random.randint(side // 2 + 1, size=2)
    cut = np.s_[top : top + side // 2, left : left + side // 2]
    enlarged = keras.ops.image.resize(image[cut], (side, side), "bilinear")
    return np.asarray(enlarged), mask[cut].repeat(2, axis=0).repeat(2, axis=1)
