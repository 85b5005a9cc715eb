"""1 - alpha_bar is the variance of the noise"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    return np.sqrt(kept) * (2 * pixels - 1) + (1 - kept) * noise
