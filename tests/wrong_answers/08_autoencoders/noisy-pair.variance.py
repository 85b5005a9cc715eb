"""must be `deviation`"""


def noisy_pair(images, deviation, rng):
    return images + np.sqrt(deviation) * rng.standard_normal(images.shape), images
