"""What trainings share: Adam with a falling rate, starting again without a trace, and averages.

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


def averaged_copy(model):
    """Copies a model to hold the moving average of its weights; no gradient reaches the copy."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.trainable = False
    return copy


def follow(averaged, model, decay, step):
    """Moves the weights of an averaged copy a little towards those of its model.

    Args:
        averaged: see `averaged_copy`.
        model: keras.Model whose weights have just been trained.
        decay: the share of the average that one step leaves in place, in [0, 1).
        step: number of steps trained so far.
    """
    step = ops.cast(step, "float32")
    # Early on the average follows closely, since there is little worth keeping.
    decay = ops.minimum(decay, (1 + step) / (10 + step))
    for average, weight in zip(averaged.weights, model.weights, strict=True):
        average.assign(decay * average + (1 - decay) * weight)
