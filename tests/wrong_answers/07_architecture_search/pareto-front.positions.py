"""say True or False for each network"""


def on_front(costs, accuracies):
    no_worse = (costs[:, None] <= costs) & (accuracies[:, None] >= accuracies)
    better = (costs[:, None] < costs) | (accuracies[:, None] > accuracies)
    return np.flatnonzero(~np.any(no_worse & better, axis=0))
