"""the list that was given is changed"""


def average_precision(right, truths):
    hits, total = np.cumsum(right), 0.0
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    for wished in np.linspace(0, 1, 101):
        right[:] = recall >= wished
        total += np.max(precision[right], initial=0)
    return float(total / 101)
