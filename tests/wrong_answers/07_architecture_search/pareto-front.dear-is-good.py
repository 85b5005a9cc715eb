"""the first is cheaper and more accurate"""


def on_front(costs, accuracies):
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    no_worse = (costs[:, None] >= costs) & (accuracies[:, None] >= accuracies)
    better = (costs[:, None] > costs) | (accuracies[:, None] > accuracies)
    return ~np.any(no_worse & better, axis=0) | (np.diff(accuracies, prepend=0) > 0)
