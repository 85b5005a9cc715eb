"""the target must be clean"""


def noisy_pair(images, deviation, rng):
    noisy = images + deviation * rng.standard_normal(images.shape)
    return noisy, noisy
