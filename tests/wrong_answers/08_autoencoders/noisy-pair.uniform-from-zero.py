"""the mean of the noise must be 0"""


def noisy_pair(images, deviation, rng):
    scale = deviation * np.sqrt(12)
    return images + scale * rng.random(images.shape), images
