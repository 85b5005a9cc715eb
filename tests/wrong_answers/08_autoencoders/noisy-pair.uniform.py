"""not Gaussian"""


def noisy_pair(images, deviation, rng):
    half = deviation * np.sqrt(3)
    return images + rng.uniform(-half, half, images.shape), images
