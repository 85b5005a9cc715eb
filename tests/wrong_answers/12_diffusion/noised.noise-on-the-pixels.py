"""without noise a white image stays of one shade"""


def noised(pixels, times, alpha_bar, noise):
    kept = alpha_bar[times][:, None, None, None]
    own = np.random.default_rng().normal(size=pixels.shape)
    return np.sqrt(kept) * (2 * pixels - 1) + np.sqrt(1 - kept) * own
