"""each sample has a σ of its own"""


def draw_code(mean, log_var, rng):
    return mean + np.exp(log_var.mean(axis=0) / 2) * rng.standard_normal(mean.shape)
