"""after scaling to [-1, 1]"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    return np.sqrt(kept) * (pixels - 0.5) + np.sqrt(1 - kept) * noise
