"""return one number for each sample"""


def gaussian_kl(mean, log_var):
    return (np.exp(log_var) + mean**2 - 1 - log_var).sum() / 2
