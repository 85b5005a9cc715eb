"""a black object on a black baseline has no attribution"""


def mean_baseline(images):
    return images.copy()
