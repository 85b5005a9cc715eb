"""nothing is random"""


def draw_code(mean, log_var, rng):
    return mean + np.exp(log_var / 2) * 0
