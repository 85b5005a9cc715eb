"""each sample has a mean of its own"""


def draw_code(mean, log_var, rng):
    return rng.normal(mean[0], np.exp(log_var[0] / 2), mean.shape)
