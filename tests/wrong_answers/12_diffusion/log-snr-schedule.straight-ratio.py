"""signal and noise have equal variance"""


def log_snr_schedule(steps, first=8.0, last=-8.0):
    ratio = np.linspace(np.exp(first), np.exp(last), steps)
    return ratio / (1 + ratio)
