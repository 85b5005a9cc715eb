"""do not multiply by it"""


def noisy_pair(images, deviation, rng):
    return images * (1 + deviation * rng.standard_normal(images.shape)), images
