"""alpha_bar lies between 0 and 1"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    return np.exp(np.linspace(first, last, steps))
