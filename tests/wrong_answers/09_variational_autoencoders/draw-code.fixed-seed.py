"""another rng must give another draw"""


def draw_code(mean, log_var, rng):
    noise = np.random.default_rng(0).standard_normal(mean.shape)
    return mean + np.exp(log_var / 2) * noise
