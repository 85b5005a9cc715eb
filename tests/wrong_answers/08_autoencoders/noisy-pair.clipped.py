"""do not clip"""


def noisy_pair(images, deviation, rng):
    return np.clip(images + deviation * rng.standard_normal(images.shape), 0, 1), images
