"""the image must fade as t grows"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times[0]]
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * noise
