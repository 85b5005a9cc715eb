"""multiplied by the square root of alpha_bar"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    return kept * (2 * pixels - 1) + (1 - kept) * noise
