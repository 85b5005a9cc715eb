"""nothing to recognise"""


def mean_baseline(images):
    return np.broadcast_to(images.mean(axis=1, keepdims=True), images.shape)
