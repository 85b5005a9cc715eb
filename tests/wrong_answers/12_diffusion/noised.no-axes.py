"""give alpha_bar[times] three more axes"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times]
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * noise
