"""51 of 101 recalls"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    return float(np.sum(np.diff(recall, prepend=0) * precision))
