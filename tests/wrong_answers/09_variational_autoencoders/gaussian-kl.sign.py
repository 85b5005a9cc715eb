"""never negative"""


def gaussian_kl(mean, log_var):
    return (1 + log_var - mean**2 - np.exp(log_var)).sum(axis=1) / 2
