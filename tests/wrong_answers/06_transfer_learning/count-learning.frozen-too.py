"""a frozen layer does not learn"""


def count_learning(model):
    statistics = ("moving_mean", "moving_variance")
    return sum(math.prod(v.shape) for v in model.variables if v.name not in statistics)
