"""the root is that of a matrix"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (real, generated))
    root = np.sqrt(np.diag(first) * np.diag(second)).sum()
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
