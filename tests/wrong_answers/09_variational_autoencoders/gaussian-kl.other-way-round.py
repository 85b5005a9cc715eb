"""the code's distribution comes first"""


def gaussian_kl(mean, log_var):
    return ((1 + mean**2) * np.exp(-log_var) - 1 + log_var).sum(axis=1) / 2
