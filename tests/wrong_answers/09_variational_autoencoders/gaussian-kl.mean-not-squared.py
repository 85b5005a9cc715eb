"""averages over draws say otherwise"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + np.abs(mean) - 1 - log_var).sum(axis=1) / 2
