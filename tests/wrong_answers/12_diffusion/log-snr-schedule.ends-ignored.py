"""use first and last as given"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    return 1 / (1 + np.exp(-np.linspace(8, -8, steps)))
