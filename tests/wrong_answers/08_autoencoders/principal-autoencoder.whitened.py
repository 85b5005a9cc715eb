"""do not rescale"""


def principal_autoencoder(x, width):
    if width >= x.shape[1]:
        raise ValueError("width")
    mean = x.mean(axis=0)
    _, spread, directions = np.linalg.svd(x - mean, full_matrices=False)
    kernel = directions[:width].T / spread[:width]
    back = spread[:width, None] * directions[:width]
    return (kernel, -mean @ kernel), (back, mean)
