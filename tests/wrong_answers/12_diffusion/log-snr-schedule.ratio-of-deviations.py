"""a ratio of variances, should be a straight line"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    return 1 / (1 + np.exp(-2 * np.linspace(first, last, steps)))
