"""the ReLU comes after the sum"""


def cam_maps(features, gradients):
    weights = np.maximum(gradients.mean(axis=(1, 2), keepdims=True), 0)
    maps = (weights * features).sum(axis=-1)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
