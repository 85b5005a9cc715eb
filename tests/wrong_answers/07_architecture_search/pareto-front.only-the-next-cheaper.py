"""compare every network with every other"""


def on_front(costs, accuracies):
    order = np.lexsort((-accuracies, costs))
    front = np.ones(len(costs), bool)
    for cheaper, i in zip(order[:-1], order[1:], strict=True):
        equal = costs[cheaper] == costs[i] and accuracies[cheaper] == accuracies[i]
        front[i] = equal or accuracies[i] > accuracies[cheaper]
    return front
