"""log_var is log σ², not log σ"""


def gaussian_kl(mean, log_var):
    return (np.exp(2 * log_var) + mean**2 - 1 - 2 * log_var).sum(axis=1) / 2
