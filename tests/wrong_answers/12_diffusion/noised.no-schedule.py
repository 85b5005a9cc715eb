"""without a schedule noise is added, and nothing taken away"""


def noised(pixels, times, alpha_bar, noise):
    return 2 * pixels - 1 + noise
