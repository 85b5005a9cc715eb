"""changed in place"""


def noisy_pair(images, deviation, rng):
    target = images.copy()
    images += deviation * rng.standard_normal(images.shape)
    return images, target
