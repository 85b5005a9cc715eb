"""they are no probabilities"""


def elbo(images, logits, mean, log_var):
    with np.errstate(all="ignore"):
        pixels = images * np.log(logits) + (1 - images) * np.log(1 - logits)
    return pixels.sum(axis=(1, 2, 3)) - (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
