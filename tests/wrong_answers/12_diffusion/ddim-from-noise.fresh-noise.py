"""a step to the same time changes nothing"""


def ddim_from_noise(noisy, noise_guess, kept, kept_earlier):
    clean = (noisy - np.sqrt(1 - kept) * noise_guess) / np.sqrt(kept)
    fresh = np.random.default_rng().normal(size=noisy.shape)
    return np.sqrt(kept_earlier) * clean + np.sqrt(1 - kept_earlier) * fresh
