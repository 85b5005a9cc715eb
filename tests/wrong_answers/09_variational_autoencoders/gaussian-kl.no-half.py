"""is the factor ½ there"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1)
