"""use np.logaddexp"""


def elbo(images, logits, mean, log_var):
    p = np.clip(special.expit(logits), 1e-7, 1 - 1e-7)
    pixels = images * np.log(p) + (1 - images) * np.log(1 - p)
    return pixels.sum(axis=(1, 2, 3)) - (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
