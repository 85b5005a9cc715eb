"""leave the images as they are"""


def mean_baseline(images):
    images[:] = images.mean(axis=(1, 2), keepdims=True)
    return images
