"""the draws must lie about the mean"""


def draw_code(mean, log_var, rng):
    return log_var + np.exp(log_var / 2) * rng.standard_normal(mean.shape)
