"""the pixels' part is"""


def elbo(images, logits, mean, log_var):
    likelihood = (images * np.log(special.expit(logits))).sum(axis=(1, 2, 3))
    return likelihood - (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
