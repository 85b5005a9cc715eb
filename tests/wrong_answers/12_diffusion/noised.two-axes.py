"""without noise a white image stays of one shade"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None]
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * noise
