"""leave features and gradients as they are"""


def cam_maps(features, gradients):
    features *= gradients.mean(axis=(1, 2), keepdims=True)
    maps = np.maximum(features.sum(axis=-1), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(largest > 0, largest, 1)
