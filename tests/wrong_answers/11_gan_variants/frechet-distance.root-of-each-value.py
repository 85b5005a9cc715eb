"""the root is that of a matrix"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.cov(x, rowvar=False) for x in (real, generated))
    root = np.trace(np.sqrt(np.abs(first * second)))
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
