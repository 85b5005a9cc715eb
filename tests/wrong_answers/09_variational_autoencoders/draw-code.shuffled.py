"""each sample has a mean of its own"""


def draw_code(mean, log_var, rng):
    return rng.permutation(mean + np.exp(log_var / 2) * rng.standard_normal(mean.shape))
