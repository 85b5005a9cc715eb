"""features are columns"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = np.cov(real), np.cov(generated)
    root = np.sqrt(np.clip(linalg.eigvals(first @ second).real, 0, None)).sum()
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
