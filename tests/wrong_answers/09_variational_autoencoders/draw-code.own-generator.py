"""use rng alone"""


def draw_code(mean, log_var, rng):
    return mean + np.exp(log_var / 2) * np.random.default_rng().standard_normal(mean.shape)
