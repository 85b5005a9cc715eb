"""a step to the same time changes nothing"""


def ddim_from_noise(noisy, noise_guess, kept, kept_earlier):
    clean = diffusion.clean_from_velocity(noisy, noise_guess, kept)
    return np.sqrt(kept_earlier) * clean + np.sqrt(1 - kept_earlier) * noise_guess
