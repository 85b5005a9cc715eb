"""the squared length of the shift"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (real, generated))
    values = linalg.eigvals(first @ second).real
    root = np.sqrt(np.clip(values, 0, None)).sum()
    return np.sqrt(difference @ difference) + np.trace(first) + np.trace(second) - 2 * root
