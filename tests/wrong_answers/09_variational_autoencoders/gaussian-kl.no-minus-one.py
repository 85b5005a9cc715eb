"""the prior itself must cost 0"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + mean**2 - log_var).sum(axis=1) / 2
