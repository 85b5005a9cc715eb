"""rescale or mix them"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean = x.mean(axis=0)
    _, _, directions = np.linalg.svd(x - mean, full_matrices=False)
    mixing, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))
    kernel = directions[:width].T @ mixing
    return (kernel, -mean @ kernel), (kernel.T, mean)
