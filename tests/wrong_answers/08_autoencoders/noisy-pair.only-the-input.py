"""return two arrays: the input and the target"""


def noisy_pair(images, deviation, rng):
    return images + deviation * rng.standard_normal(images.shape)
