"""PCA's error is smaller"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    _, _, directions = np.linalg.svd((x - mean) / deviation, full_matrices=False)
    kernel = directions[:width].T
    return (kernel, -mean @ kernel), (kernel.T, mean)
