"""the greatest variance"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean = x.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(x.T))
    kernel = directions[:, :width]
    return (kernel, -mean @ kernel), (kernel.T, mean)
