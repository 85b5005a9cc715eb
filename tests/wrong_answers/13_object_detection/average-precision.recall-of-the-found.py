"""not of those found"""


def average_precision(right, truths):
    if not np.any(right):
        return 0.0
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / hits[-1]
    wished = np.linspace(0, 1, 101)[:, None]
    return float(np.where(recall >= wished, precision, 0).max(axis=1, initial=0).mean())
