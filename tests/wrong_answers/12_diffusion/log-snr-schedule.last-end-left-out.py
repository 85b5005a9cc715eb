"""half-way from 8 to -8, both ends counted"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    return 1 / (1 + np.exp(-np.linspace(first, last, steps, endpoint=False)))
