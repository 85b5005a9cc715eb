"""multiplied by the square root of alpha_bar at its time"""


def noised(pixels, times, alpha_bar, noise):
    beta = diffusion.added_variance(alpha_bar)[times][:, None, None, None]
    return np.sqrt(1 - beta) * (2 * pixels - 1) + np.sqrt(beta) * noise
