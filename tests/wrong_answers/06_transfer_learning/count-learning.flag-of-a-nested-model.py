"""look at its variables, not at its own flag"""


def count_learning(model):
    statistics = ("moving_mean", "moving_variance")
    return sum(
        math.prod(variable.shape)
        for layer in model.layers
        if layer.trainable
        for variable in layer.variables
        if variable.name not in statistics
    )
