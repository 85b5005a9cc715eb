"""a ratio of variances, should be a straight line"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    ends = 1 / (1 + np.exp([-first, -last]))
    return np.linspace(*ends, steps)
