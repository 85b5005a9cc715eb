"""rounding made eigenvalues negative"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (real, generated))
    with np.errstate(invalid="ignore"):
        root = np.sqrt(linalg.eigvals(first @ second).real).sum()
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
