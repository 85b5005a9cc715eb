"""the order in which networks stand is no matter"""


def on_front(costs, accuracies):
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    highest = np.maximum.accumulate(np.concatenate([[-np.inf], accuracies[:-1]]))
    return accuracies > highest
