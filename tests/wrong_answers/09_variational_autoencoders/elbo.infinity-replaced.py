"""use np.logaddexp"""


def elbo(images, logits, mean, log_var):
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-logits))
        pixels = np.nan_to_num(images * np.log(p) + (1 - images) * np.log(1 - p), neginf=-800)
    return pixels.sum(axis=(1, 2, 3)) - (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
