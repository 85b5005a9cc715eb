"""do not interpolate masks"""


def zoom_in(image, mask, rng):
    side = len(image)
    top, left = rng.integers(side // 2 + 1, size=2)
    cut = np.s_[top : top + side // 2, left : left + side // 2]
    enlarged = keras.ops.image.resize(image[cut], (side, side), "bilinear")
    classes = mask[cut][..., None].astype("float32")
    classes = np.asarray(keras.ops.image.resize(classes, (side, side), "bilinear"))[..., 0]
    return np.asarray(enlarged), classes
