"""not symmetric (no eigvalsh)"""


def frechet(real, generated):
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    root = np.sqrt(np.clip(linalg.eigvalsh(first @ second), 0, None)).sum()
    return difference @ difference + np.trace(first) + np.trace(second) - 2 * root
