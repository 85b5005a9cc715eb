"""return two pairs"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean = x.mean(axis=0)
    _, _, directions = np.linalg.svd(x - mean, full_matrices=False)
    kernel = directions[:width].T
    return kernel, -mean @ kernel, kernel.T, mean
