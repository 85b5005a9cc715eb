"""a colour has three numbers"""


def mean_baseline(images):
    return np.broadcast_to(images.mean(axis=(1, 2, 3), keepdims=True), images.shape)
