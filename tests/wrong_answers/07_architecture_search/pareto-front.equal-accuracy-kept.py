"""at equal accuracy only the cheaper one stays"""


def on_front(costs, accuracies):
    costs, accuracies = np.asarray(costs), np.asarray(accuracies)
    beaten = (costs[:, None] <= costs) & (accuracies[:, None] > accuracies)
    return ~np.any(beaten, axis=0)
