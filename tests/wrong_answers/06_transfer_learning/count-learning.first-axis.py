"""kernels, biases, and two numbers"""


def count_learning(model):
    return sum(variable.shape[0] for variable in model.trainable_variables)
