"""the network must see the noise"""


def noisy_pair(images, deviation, rng):
    return images, images + deviation * rng.standard_normal(images.shape)
