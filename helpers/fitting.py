"""What the lessons' trainings share: Adam with a falling rate, and training again without a trace.

TensorFlow traces a compiled step when it first runs, which can take longer than a short training.
"""

import math

from helpers.arguments import check_positive

import keras
from keras import ops


def compile_with_cosine(model, loss, learning_rate, steps, metrics=None):
    """Compiles a model with Adam, whose rate falls to 0 along half a cosine.

    Args:
        model: a built keras.Model.
        loss, metrics: see `keras.Model.compile`.
        learning_rate: the rate of the first step.
        steps: steps until the rate is 0.
    """
    check_positive(steps=steps)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=metrics)
    # Left to the first step, making the optimiser's variables would trace that step twice.
    model.optimizer.build(model.trainable_variables)


def train_with_cosine(
    model, loss, inputs, targets, *, epochs, batch_size, learning_rate, metrics=None, **options
):
    """Compiles a model by `compile_with_cosine` and trains it on arrays.

    Args:
        model, loss, learning_rate: see `compile_with_cosine`.
        inputs, targets: arrays with a row for each example.
        epochs, batch_size: see `keras.Model.fit`.
        metrics: see `keras.Model.compile`. options: see `keras.Model.fit`.

    Returns:
        Dict from the name of a score to its values after each epoch.

    Raises:
        ValueError: if epochs or batch_size is not a whole number of at least 1.
    """
    check_positive(epochs=epochs, batch_size=batch_size)
    steps = epochs * math.ceil(len(inputs) / batch_size)
    compile_with_cosine(model, loss, learning_rate, steps, metrics)
    sizes = {"epochs": epochs, "batch_size": batch_size}
    return model.fit(inputs, targets, verbose=0, **sizes, **options).history


def starting_point(model):
    """Remembers a compiled model's weights and the state of its optimizer.

    To train a model again from its start, without tracing its training step again.

    Returns:
        Function without arguments that puts them back.
    """
    variables = [*model.variables, *model.optimizer.variables]
    # `numpy()` may share memory with the variable.
    values = [variable.numpy().copy() for variable in variables]

    def restore():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return restore


def start_over(model):
    """Gives a compiled model new weights and its optimiser an empty memory.

    Args:
        model: a compiled `keras.Model` made of layers; its learning rate is a schedule, if it is
            to begin anew as well.
    """
    model.set_weights(keras.models.clone_model(model).get_weights())
    for variable in model.optimizer.variables:
        if variable.name != "learning_rate":
            variable.assign(ops.zeros_like(variable))
