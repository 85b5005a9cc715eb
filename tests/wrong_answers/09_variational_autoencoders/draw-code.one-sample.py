"""return a code for each sample"""


def draw_code(mean, log_var, rng):
    return mean[0] + np.exp(log_var[0] / 2) * rng.standard_normal(mean.shape[1])
