"""at kept_earlier = 1 the result is x_0"""


def ddim_from_noise(noisy, noise_guess, kept, kept_earlier):
    return diffusion.ddim_step(noisy, noise_guess, kept, kept_earlier)
