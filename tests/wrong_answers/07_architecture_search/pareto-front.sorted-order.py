"""answer in the given order"""


def on_front(costs, accuracies):
    order = np.lexsort((-accuracies, costs))
    costs, accuracies = costs[order], accuracies[order]
    no_worse = (costs[:, None] <= costs) & (accuracies[:, None] >= accuracies)
    better = (costs[:, None] < costs) | (accuracies[:, None] > accuracies)
    return ~np.any(no_worse & better, axis=0)
