"""every image has the same noise"""


def noisy_pair(images, deviation, rng):
    noise = deviation * rng.standard_normal(images.shape[1:])
    return images + (noise - noise.mean()) / noise.std() * deviation, images
