"""return one number"""


def average_precision(right, truths):
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    wished = np.linspace(0, 1, 101)[:, None]
    return np.where(recall >= wished, precision, 0).max(axis=1, initial=0)
