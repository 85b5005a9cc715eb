"""not of those found"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    return float(precision[right].mean()) if np.any(right) else 0.0
