"""more accuracy for more cost"""


def on_front(costs, accuracies):
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    return accuracies == accuracies.max()
