"""mix x_0 and the noise for the earlier time"""


def ddim_from_noise(noisy, noise_guess, kept, kept_earlier):
    clean = (noisy - np.sqrt(1 - kept) * noise_guess) / np.sqrt(kept)
    return diffusion.posterior(noisy, clean, kept, kept_earlier)[0]
