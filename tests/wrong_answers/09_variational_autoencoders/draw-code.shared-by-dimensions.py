"""both dimensions share their noise"""


def draw_code(mean, log_var, rng):
    return mean + np.exp(log_var / 2) * rng.standard_normal((len(mean), 1))
