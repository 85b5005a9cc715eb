"""divide by the maximum and subtract nothing"""


def cam_maps(features, gradients):
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    maps = np.maximum((weights * features).sum(axis=-1), 0)
    maps = maps - maps.min(axis=(1, 2), keepdims=True)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
