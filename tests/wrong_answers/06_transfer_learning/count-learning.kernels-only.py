"""two numbers for each normalised feature"""


def count_learning(model):
    return sum(math.prod(v.shape) for v in model.trainable_variables if v.name == "kernel")
