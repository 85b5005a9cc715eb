"""the image given was changed"""


def zoom_in(image, mask, rng):
    side = len(image)
    top, left = rng.integers(side // 2 + 1, size=2)
    cut = np.s_[top : top + side // 2, left : left + side // 2]
    image[:] = np.asarray(keras.ops.image.resize(image[cut].copy(), (side, side), "bilinear"))
    mask[:] = mask[cut].repeat(2, 0).repeat(2, 1)
    return image, mask
