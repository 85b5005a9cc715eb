"""x was changed in place"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean = x.mean(axis=0)
    x -= mean
    _, _, directions = np.linalg.svd(x, full_matrices=False)
    kernel = directions[:width].T
    return (kernel, -mean @ kernel), (kernel.T, mean)
