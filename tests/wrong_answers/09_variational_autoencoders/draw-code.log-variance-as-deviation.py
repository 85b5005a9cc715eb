"""the deviation is not σ"""


def draw_code(mean, log_var, rng):
    return mean + log_var * rng.standard_normal(mean.shape)
