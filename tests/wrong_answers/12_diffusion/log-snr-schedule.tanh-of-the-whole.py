"""a ratio of variances, should be a straight line"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    return (1 + np.tanh(np.linspace(first, last, steps))) / 2
