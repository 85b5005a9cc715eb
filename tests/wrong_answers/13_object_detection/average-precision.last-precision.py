"""costs nothing"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    if not len(hits):
        return 0.0
    reached = np.mean(recall[-1] >= np.linspace(0, 1, 101))
    return float(reached * precision[-1]) if np.any(right) else 0.0
