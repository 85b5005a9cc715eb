"""this is σ²"""


def draw_code(mean, log_var, rng):
    return mean + np.exp(log_var) * rng.standard_normal(mean.shape)
