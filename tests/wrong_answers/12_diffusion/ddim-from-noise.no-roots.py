"""at kept_earlier = 1 the result is x_0"""


def ddim_from_noise(noisy, noise_guess, kept, kept_earlier):
    clean = (noisy - (1 - kept) * noise_guess) / kept
    return kept_earlier * clean + (1 - kept_earlier) * noise_guess
