"""the KL is averaged over dimensions"""


def elbo(images, logits, mean, log_var):
    likelihood = (images * logits - np.logaddexp(0, logits)).sum(axis=(1, 2, 3))
    return likelihood - (np.exp(log_var) + mean**2 - 1 - log_var).mean(axis=1) / 2
