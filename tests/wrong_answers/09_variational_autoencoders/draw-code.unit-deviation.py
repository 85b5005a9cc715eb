"""the deviation is not σ"""


def draw_code(mean, log_var, rng):
    return mean + rng.standard_normal(mean.shape)
