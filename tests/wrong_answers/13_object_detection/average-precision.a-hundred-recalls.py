"""51 of 101 recalls"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    wished = np.arange(0, 1, 0.01)[:, None]
    return float(np.where(recall >= wished, precision, 0).max(axis=1, initial=0).mean())
