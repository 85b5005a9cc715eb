"""not ½"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    total = 0.0
    for wished in np.linspace(0, 1, 101):
        there = np.flatnonzero(recall >= wished)
        if wished == 0:
            there = np.flatnonzero(right)
        total += precision[there[0]] if len(there) else 0.0
    return float(total / 101)
