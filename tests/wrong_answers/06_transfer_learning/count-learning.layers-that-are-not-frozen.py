"""no gradient reaches them"""


def count_learning(model):
    return sum(layer.count_params() for layer in model.layers if layer.trainable)
