"""sum, never average"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + mean**2 - 1 - log_var).mean(axis=1) / 2
