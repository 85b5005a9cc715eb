"""the arrays that came in were changed"""


def on_front(costs, accuracies):
    accuracies *= -1
    no_worse = (costs[:, None] <= costs) & (accuracies[:, None] <= accuracies)
    better = (costs[:, None] < costs) | (accuracies[:, None] < accuracies)
    return ~np.any(no_worse & better, axis=0)
