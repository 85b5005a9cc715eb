"""multiply each image's own noise by its root"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * noise[:1]
