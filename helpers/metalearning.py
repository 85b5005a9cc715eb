"""Learning to learn: MAML (Finn, Abbeel and Levine, 2017), its first-order form, and Reptile.

The weights of a network are a list [kernel, bias, kernel, bias, …]. Shared by all tasks they have
the shapes (in, out) and (1, out). Adapted to a batch of tasks they have an axis more in front,
(tasks, in, out) and (tasks, 1, out), and one matrix product serves all tasks. A support or query
set is a pair (x, y) of arrays (tasks, points, width).
"""

import numbers

from helpers.arguments import check_in, check_positive, check_whole_number, differ

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def forward(weights, x):
    """A network of dense layers with ReLU between them, its weights given from outside.

    Args:
        weights: list [kernel, bias, …], shared by all tasks or one for each task.
        x: array (tasks, points, in), or (points, in) with shared weights.

    Returns:
        The last layer's output (tasks, points, out), or (points, out) if neither has a task axis.

    Raises:
        ValueError: if the weights are not pairs, or x is not as wide as the first kernel.
    """
    _check_fit(weights, x)
    *hidden, kernel, bias = weights
    for i in range(0, len(hidden), 2):
        x = ops.relu(ops.matmul(x, hidden[i]) + hidden[i + 1])
    return ops.matmul(x, kernel) + bias


def squared_error(y, prediction):
    """Mean squared error of each task: (tasks, points, width) twice → (tasks,).

    Raises:
        ValueError: if the shapes differ; they would be broadcast without a word.
    """
    _check_same_shape(y, prediction)
    return ops.mean(ops.square(y - prediction), axis=(-2, -1))


def cross_entropy(y, logits):
    """Mean cross-entropy of each task in nats; y is one-hot: (tasks, points, ways) → (tasks,).

    Raises:
        ValueError: if the shapes differ.
    """
    _check_same_shape(y, logits)
    return ops.mean(ops.logsumexp(logits, axis=-1) - ops.sum(y * logits, axis=-1), axis=-1)


def accuracy(y, logits):
    """Share of points of each task whose largest logit is that of the class.

    Args and errors are those of `cross_entropy`; returns (tasks,) in [0, 1].
    """
    _check_same_shape(y, logits)
    right = ops.equal(ops.argmax(logits, axis=-1), ops.argmax(y, axis=-1))
    return ops.mean(ops.cast(right, "float32"), axis=-1)


def _check_fit(weights, x):
    if len(weights) < 2 or len(weights) % 2:
        raise ValueError(f"weights has {len(weights)} parts; it must be kernel, bias, kernel, …")
    width = weights[0].shape[-2]
    if x.shape[-1] != width:
        raise ValueError(f"x has shape {tuple(x.shape)}; the first kernel needs a width of {width}")


def _check_same_shape(y, prediction):
    given, needed = tuple(y.shape), tuple(prediction.shape)
    if len(given) != len(needed) or any(map(differ, given, needed)):
        raise ValueError(f"y has shape {given}; it must have that of the predictions, {needed}")


def one_for_each(weights, count):
    """Copies shared weights along a new first axis, one copy for each of `count` tasks."""
    return [ops.broadcast_to(weight, (count, *weight.shape)) for weight in weights]


def inner_step(weights, support, rate, loss=squared_error):
    """One step of gradient descent in each task, by itself, on its own support points.

    Args:
        weights: list of tensors, one set for each task.
        support: pair (x, y) of arrays (tasks, points, width).
        rate: the inner learning rate.
        loss: function from (y, prediction) to one number for each task.

    Returns:
        List of tensors of the same shapes. A tape outside can differentiate through the step.

    Raises:
        ValueError: if the rate is not above 0, or the points do not fit the network.
    """
    check_in("(0, ∞)", rate=rate)
    x, y = support
    with tf.GradientTape() as tape:
        tape.watch(weights)
        # A task's loss depends on its own weights alone, so the gradient of the sum holds the
        # gradient of each task.
        total = ops.sum(loss(y, forward(weights, x)))
    gradients = tape.gradient(total, weights)
    return [w - rate * g for w, g in zip(weights, gradients, strict=True)]


def adapt(weights, support, rate, steps, loss=squared_error):
    """Takes shared weights to each task by `steps` steps of gradient descent.

    Args:
        weights: list of tensors (in, out) and (1, out), shared by all tasks.
        support, rate, loss: see `inner_step`.
        steps: number of inner steps; 0 only copies.

    Returns:
        List of tensors (tasks, in, out) and (tasks, 1, out).

    Raises:
        ValueError: if steps is not a whole number of at least 0; and see `inner_step`.
    """
    check_whole_number("steps", steps, 0)
    weights = one_for_each(weights, ops.shape(support[0])[0])
    for _ in range(steps):
        weights = inner_step(weights, support, rate, loss)
    return weights


def maml_gradient(weights, support, query, rate, steps, loss=squared_error):
    """The gradient of the loss after adaptation in the weights before it (MAML).

    Finn, Abbeel and Levine (2017), algorithm 2: the outer tape records the inner steps, so the
    gradient holds their second derivatives.

    Args:
        weights: list of tensors, shared by all tasks.
        support, query: pairs (x, y): the points to adapt to, and those to be judged on.
        rate, steps, loss: see `adapt`.

    Returns:
        (loss, gradients): the mean loss of the tasks on their query points, and a list of tensors
        like the weights.
    """
    x, y = query
    with tf.GradientTape() as tape:
        tape.watch(weights)
        adapted = adapt(weights, support, rate, steps, loss)
        value = ops.mean(loss(y, forward(adapted, x)))
    return value, tape.gradient(value, weights)


def first_order_gradient(weights, support, query, rate, steps, loss=squared_error):
    """MAML without second derivatives (Finn et al., 2017, section 5.2).

    The gradient is taken in the adapted weights and applied to the shared ones, as if the inner
    steps had added a constant. Arguments and results are those of `maml_gradient`.
    """
    x, y = query
    adapted = adapt(weights, support, rate, steps, loss)
    with tf.GradientTape() as tape:
        tape.watch(adapted)
        value = ops.mean(loss(y, forward(adapted, x)))
    return value, [ops.sum(gradient, axis=0) for gradient in tape.gradient(value, adapted)]


def reptile_gradient(weights, support, query, rate, steps, loss=squared_error):
    """The way from the adapted weights back to the shared ones (Reptile).

    Nichol, Achiam and Schulman (2018), algorithm 2: an optimiser that steps against it moves the
    shared weights towards the mean of the adapted ones. Nothing is held back to judge by: all
    points of a task serve adaptation, and the loss is measured on the same points. Arguments and
    results are otherwise those of `maml_gradient`.
    """
    x, y = _all_points(support, query)
    adapted = adapt(weights, (x, y), rate, steps, loss)
    value = ops.mean(loss(y, forward(adapted, x)))
    return value, [w - ops.mean(a, axis=0) for w, a in zip(weights, adapted, strict=True)]


def joint_gradient(weights, support, query, rate, steps, loss=squared_error):
    """Ordinary training of one network on all tasks at once: the baseline, without adaptation.

    Arguments and results are those of `maml_gradient`, but the loss is that of the shared weights
    on all points; rate and steps are not used.
    """
    x, y = _all_points(support, query)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = ops.mean(loss(y, forward(weights, x)))
    return value, tape.gradient(value, weights)


def _all_points(support, query):
    return tuple(ops.concatenate(parts, axis=1) for parts in zip(support, query, strict=True))


class MetaLearner(keras.Model):
    """The weights that all tasks start from, learned by `fit` from batches of tasks.

    `fit(support, query, batch_size=…)` takes two pairs of arrays (tasks, points, width); a batch
    is a batch of tasks, and a step is a meta-step. Calling the model applies the shared weights
    as they are, without adaptation.

    Args:
        sizes: widths of the network's layers, from input to output.
        gradient: `maml_gradient` or a function of the same arguments and results.
        inner_rate: learning rate of the inner steps.
        inner_steps: number of inner steps.
        loss: function from (y, prediction) to one number for each task.

    Raises:
        ValueError: if there are fewer than two sizes, a size or the number of steps is not a whole
            number of at least 1, or the rate is not above 0.
    """

    def __init__(
        self, sizes, gradient, inner_rate=0.01, inner_steps=1, loss=squared_error, **kwargs
    ):
        super().__init__(**kwargs)
        if len(sizes) < 2 or not all(isinstance(s, numbers.Integral) and s > 0 for s in sizes):
            raise ValueError(f"sizes is {sizes!r}; it must hold at least two positive widths")
        check_in("(0, ∞)", inner_rate=inner_rate)
        check_positive(inner_steps=inner_steps)
        self.meta_gradient = gradient
        self.inner_rate = inner_rate
        self.inner_steps = inner_steps
        self.task_loss = loss
        for width, next_width in zip(sizes[:-1], sizes[1:], strict=True):
            self.add_weight(shape=(width, next_width), initializer="glorot_uniform")
            self.add_weight(shape=(1, next_width), initializer="zeros")
        self.tracker = keras.metrics.Mean(name="loss")
        self.built = True

    def compile(self, optimizer, **kwargs):
        """Takes the optimiser of the meta-steps, and `keras.Model.compile`'s options."""
        super().compile(optimizer=optimizer, **kwargs)
        # Built here, it creates no variables inside the first step, which is then traced once.
        optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, x):
        return forward(self.trainable_variables, x)

    def train_step(self, data):
        support, query = data
        weights = [ops.copy(weight) for weight in self.trainable_variables]
        loss, gradients = self.meta_gradient(
            weights, support, query, self.inner_rate, self.inner_steps, self.task_loss
        )
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def train(learner, support, query, rate, epochs, batch_size=25, callbacks=None, **options):
    """Trains a `MetaLearner` by Adam, its rate falling to 0 along half a cosine.

    Args:
        learner: the model.
        support, query: pairs (x, y) of arrays (tasks, points, width).
        rate: the learning rate of the first meta-step.
        epochs: how often each task is seen.
        batch_size: tasks in a meta-step.
        callbacks: for `fit`.
        options: for `compile`, such as `jit_compile` and `steps_per_execution`.

    Returns:
        List of the mean loss in each epoch.

    Raises:
        ValueError: if the rate is not above 0, or a number is not whole and at least 1.
    """
    check_in("(0, ∞)", rate=rate)
    check_positive(epochs=epochs, batch_size=batch_size)
    steps = epochs * -(-len(support[0]) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    learner.compile(keras.optimizers.Adam(schedule), **options)
    size = {"epochs": epochs, "batch_size": batch_size}
    history = learner.fit(support, query, **size, verbose=0, callbacks=callbacks)
    return history.history["loss"]


def finite_differences(function, weights, nudge=1e-6):
    """The gradient of a function of weights, found by moving one number at a time.

    Args:
        function: from a list of arrays like the weights to a number.
        weights: list of arrays in double precision, since rounding would hide the differences.
        nudge: how far to move each number, up and down.

    Returns:
        List of arrays like the weights.

    Raises:
        ValueError: if the weights are not in double precision, or the nudge is not above 0.
    """
    check_in("(0, ∞)", nudge=nudge)
    types = {keras.backend.standardize_dtype(weight.dtype) for weight in weights}
    if types != {"float64"}:
        raise ValueError(f"weights are {', '.join(sorted(types)) or 'empty'}; they must be float64")
    slopes = [np.zeros(weight.shape) for weight in weights]
    for i, weight in enumerate(weights):
        for place in np.ndindex(*weight.shape):
            move = np.zeros(weight.shape)
            move[place] = nudge
            up, down = ([*weights[:i], weight + s * move, *weights[i + 1 :]] for s in (1, -1))
            slopes[i][place] = (function(up) - function(down)) / (2 * nudge)
    return slopes


def adaptation_curve(weights, support, query, rate, steps, loss=squared_error, score=None):
    """How well each task is solved after 0, 1, …, `steps` inner steps.

    Args:
        weights: list of arrays, shared by all tasks, as `model.get_weights()` returns them.
        support, query: pairs (x, y): the points to adapt to, and those to be judged on.
        rate, loss: see `inner_step`.
        steps: the largest number of inner steps.
        score: function from (y, prediction) to one number for each task; the loss if None.

    Returns:
        Array (steps + 1, tasks).

    Raises:
        ValueError: if steps is not a whole number of at least 0; and see `inner_step`.
    """
    check_whole_number("steps", steps, 0)
    x, y = query
    score = score or loss
    weights = adapt([ops.convert_to_tensor(w) for w in weights], support, rate, 0)
    scores = [score(y, forward(weights, x))]
    for _ in range(steps):
        weights = inner_step(weights, support, rate, loss)
        scores.append(score(y, forward(weights, x)))
    return np.array(scores)


def best_rate(weights, support, query, rates, steps, loss=squared_error):
    """The inner rate of the lowest mean loss after `steps` steps; choose on validation tasks.

    Args:
        weights, support, query, steps, loss: see `adaptation_curve`.
        rates: the rates to try.

    Returns:
        (rate, losses): the best one, and a dict from each rate to its mean loss; infinity where
        adaptation diverged.

    Raises:
        ValueError: if there is no rate; and see `adaptation_curve`.
    """
    if len(rates) == 0:
        raise ValueError("rates is empty; it must hold at least one rate to try")
    losses = {}
    for rate in rates:
        final = adaptation_curve(weights, support, query, rate, steps, loss)[-1].mean()
        losses[rate] = float(final) if np.isfinite(final) else np.inf
    return min(losses, key=losses.get), losses


def few_shot(images, labels, count, ways, shots, queries, rng):
    """Draws classification tasks: `ways` classes each, few examples of each class.

    In every task the classes are numbered anew, in random order. No image is both in the support
    and in the query of a task.

    Args:
        images: array (n, …); each is flattened.
        labels: array (n,) of whole numbers.
        count: number of tasks.
        ways: classes in a task.
        shots, queries: examples of each class to learn from, and to be judged on.
        rng: `numpy.random.Generator`.

    Returns:
        (support, query): pairs (x, y) of float32 arrays, x (count, ways · shots, width) and y
        one-hot (count, ways · shots, ways); the same for queries.

    Raises:
        ValueError: if a number is below 1, images and labels differ in number, or there are too
            few classes, or too few images in one of them.
    """
    check_positive(count=count, ways=ways, shots=shots, queries=queries)
    labels = np.asarray(labels)
    _check_one_label_each(images, labels)
    classes, sizes = np.unique(labels, return_counts=True)
    needed = shots + queries
    if len(classes) < ways or sizes.min() < needed:
        raise ValueError(
            f"labels has {len(classes)} classes of {sizes.min()} images or more; {ways} ways, "
            f"{shots} shots and {queries} queries need {ways} classes of {needed}"
        )
    pools = np.stack([np.flatnonzero(labels == c)[: sizes.min()] for c in classes])
    chosen = rng.permuted(np.tile(np.arange(len(classes)), (count, 1)), axis=1)[:, :ways]
    # The places of the smallest of random numbers are a draw without replacement.
    places = rng.random((count, ways, sizes.min()), dtype="float32")
    places = places.argpartition(needed - 1, axis=-1)[..., :needed]
    picked = np.take_along_axis(pools[chosen], places, axis=-1)
    x = np.asarray(images, "float32").reshape(len(images), -1)[picked]
    y = np.broadcast_to(np.eye(ways, dtype="float32")[:, None], (*picked.shape, ways))
    return tuple(
        tuple(part[:, :, cut].reshape(count, -1, part.shape[-1]) for part in (x, y))
        for cut in (np.s_[:shots], np.s_[shots:])
    )


def _check_one_label_each(images, labels):
    if len(images) == 0 or np.shape(labels) != (len(images),):
        raise ValueError(
            f"labels has shape {np.shape(labels)}; {len(images)} images need ({len(images)},), "
            "and at least one image"
        )


def turned_and_mirrored(images, labels):
    """Makes eight classes of each: turned by 0, 90, 180 and 270 degrees, plain and mirrored.

    Santoro et al. (2016) made new classes of characters by turning them; mirroring is added here.

    Args:
        images: array (n, side, side, channels).
        labels: array (n,) of whole numbers from 0.

    Returns:
        (images, labels) of 8 n examples; the first n are the given ones.

    Raises:
        ValueError: if the images are not square, or images and labels differ in number.
    """
    if np.ndim(images) != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(
            f"images has shape {np.shape(images)}; it must be (n, side, side, channels)"
        )
    _check_one_label_each(images, labels)
    new_images, new_labels = [], []
    for plain in (images, images[:, :, ::-1]):
        for turns in range(4):
            new_images.append(np.rot90(plain, turns, axes=(1, 2)))
            new_labels.append(labels + len(new_labels) * (np.max(labels) + 1))
    return np.concatenate(new_images), np.concatenate(new_labels)


def nearest_mean(support, x):
    """Compares with the mean example of each class: a way to classify that learns nothing before.

    Args:
        support: pair (x, y) of arrays (tasks, points, width) and one-hot (tasks, points, ways).
        x: array (tasks, points, width) to be classified.

    Returns:
        Array (tasks, points, ways): minus the squared distance to the class's mean.

    Raises:
        ValueError: if a class of a task has no example.
    """
    examples, y = support
    sizes = y.sum(axis=1)[..., None]
    if np.any(sizes == 0):
        raise ValueError("support lacks an example of a class; every task needs one of each")
    means = np.einsum("tpw,tpd->twd", y, examples) / sizes
    return -np.square(x[:, :, None] - means[:, None]).sum(axis=-1)
