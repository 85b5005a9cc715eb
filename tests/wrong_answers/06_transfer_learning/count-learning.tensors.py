"""these are tensors"""


def count_learning(model):
    return len(model.trainable_variables)
