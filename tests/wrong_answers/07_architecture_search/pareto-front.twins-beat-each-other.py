"""equal twins do not beat each other"""


def on_front(costs, accuracies):
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    no_worse = (costs[:, None] <= costs) & (accuracies[:, None] >= accuracies)
    return ~np.any(no_worse & ~np.eye(len(costs), dtype=bool), axis=0)
