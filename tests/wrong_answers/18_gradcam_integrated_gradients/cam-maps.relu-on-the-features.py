"""one weight for each image and channel, with its sign"""


def cam_maps(features, gradients):
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    maps = np.maximum((weights * np.maximum(features, 0)).sum(axis=-1), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
