"""compare each of the four terms"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + mean**2 - 1 - log_var / 2).sum(axis=1) / 2
