"""pixels left in [0, 1] lie on one side of 0"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    return np.sqrt(kept) * pixels + np.sqrt(1 - kept) * noise
