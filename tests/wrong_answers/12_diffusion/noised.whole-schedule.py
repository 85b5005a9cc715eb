"""multiplied by the square root of alpha_bar at its time"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[:, None, None, None]
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * noise
