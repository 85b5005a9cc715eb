"""the noise must be normal"""


def draw_code(mean, log_var, rng):
    half = np.sqrt(3)
    return mean + np.exp(log_var / 2) * rng.uniform(-half, half, mean.shape)
