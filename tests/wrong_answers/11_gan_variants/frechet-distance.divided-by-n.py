"""divided by n − 1"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.cov(x, rowvar=False, bias=True) for x in (real, generated))
    values = linalg.eigvals(first @ second).real
    root = np.sqrt(np.clip(values, 0, None)).sum()
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
