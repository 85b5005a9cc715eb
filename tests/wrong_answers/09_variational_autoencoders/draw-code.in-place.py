"""mean itself was changed"""


def draw_code(mean, log_var, rng):
    mean += np.exp(log_var / 2) * rng.standard_normal(mean.shape)
    return mean
