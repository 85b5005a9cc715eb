"""nothing is random across samples"""


def draw_code(mean, log_var, rng):
    noise = rng.standard_normal(mean.shape[1])
    return mean + np.exp(log_var / 2) * noise
