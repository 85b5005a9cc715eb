"""the colour is the mean colour"""


def mean_baseline(images):
    middle = (images.max(axis=(1, 2), keepdims=True) + images.min(axis=(1, 2), keepdims=True)) / 2
    return np.broadcast_to(middle, images.shape)
