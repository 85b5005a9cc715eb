"""one weight for each image and channel"""


def cam_maps(features, gradients):
    maps = np.maximum((gradients * features).sum(axis=-1), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
