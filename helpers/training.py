"""Tricks of training, and a bench that measures them: schedules, mixup, stochastic depth and more.

A run on the bench is three arrays: the images of every step, their targets, and the learning rate
of every step. Most tricks only change one of them, so a network is compiled once for all.
"""

import dataclasses
import time

from helpers.arguments import check_in, check_positive, check_whole_number

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

register = keras.saving.register_keras_serializable(package="helpers.training")


@register
class WarmUpCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a line to the peak, then falls to 0 along half a cosine (Loshchilov, Hutter, 2017).

    Args:
        peak: the largest rate, above 0.
        steps: number of steps in all.
        warm_up: steps that rise; step 0 has the rate peak / warm_up. With 0 it falls at once.
    """

    def __init__(self, peak, steps, warm_up=0):
        check_in("(0, ∞)", peak=peak)
        check_positive(steps=steps)
        check_whole_number("warm_up", warm_up, 0, steps - 1)
        self.peak, self.steps, self.warm_up = peak, steps, warm_up

    def __call__(self, step):
        step = ops.minimum(ops.cast(step, "float32"), self.steps)
        rise = (step + 1) / max(self.warm_up, 1)
        fall = _half_cosine((step - self.warm_up) / (self.steps - self.warm_up))
        return self.peak * ops.where(step < self.warm_up, rise, fall)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warm_up": self.warm_up}


@register
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """One long rise and one longer fall (Smith and Topin, 2018), here both along half a cosine.

    The paper rises and falls in a line, and moves the momentum the other way; we leave it alone.

    Args:
        peak: the largest rate, above 0.
        steps: number of steps in all.
        share: part of the steps that rises, between 0 and 1.
        start: the first rate as a part of the peak; the last is 0.
    """

    def __init__(self, peak, steps, share=0.3, start=0.04):
        check_in("(0, ∞)", peak=peak)
        check_in("(0, 1)", share=share)
        check_in("[0, 1]", start=start)
        check_positive(steps=steps)
        self.peak, self.steps, self.share, self.start = peak, steps, share, start

    def __call__(self, step):
        done = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        rise = 1 - (1 - self.start) * _half_cosine(done / self.share)
        fall = _half_cosine((done - self.share) / (1 - self.share))
        return self.peak * ops.where(done < self.share, rise, fall)

    def get_config(self):
        return {name: getattr(self, name) for name in ("peak", "steps", "share", "start")}


@register
class RangeTest(keras.optimizers.schedules.LearningRateSchedule):
    """Raises the rate from lowest to highest, to see where training breaks (Smith, 2017).

    Each step has the rate of the one before times the same factor; the paper rises in a line.

    Args:
        lowest, highest: first and last rate, above 0.
        steps: number of steps, at least 2.
    """

    def __init__(self, lowest, highest, steps):
        check_in("(0, ∞)", lowest=lowest)
        check_in(f"({lowest}, ∞)", highest=highest)
        check_whole_number("steps", steps, 2)
        self.lowest, self.highest, self.steps = lowest, highest, steps

    def __call__(self, step):
        done = ops.cast(step, "float32") / (self.steps - 1)
        return self.lowest * ops.power(self.highest / self.lowest, done)

    def get_config(self):
        return {"lowest": self.lowest, "highest": self.highest, "steps": self.steps}


def rates(schedule, steps):
    """The rates that a schedule gives at steps 0, 1, …, as an array (steps,)."""
    check_positive(steps=steps)
    return ops.convert_to_numpy(schedule(np.arange(steps, dtype="float32")))


def read_range_test(tried, losses, smoothing=0.9):
    """Reads a peak rate off a range test: half of the rate at which the loss was lowest.

    Args:
        tried: rising rates (steps,). losses: the loss at each, may end in NaN or infinity.
        smoothing: how much of the running mean is kept at a step, in [0, 1).

    Returns:
        (rate, smoothed losses). The running mean starts without a bias towards 0 (as in Adam).

    Raises:
        ValueError: if the shapes differ, the first loss is not finite, or smoothing is not in
            [0, 1).
    """
    check_in("[0, 1)", smoothing=smoothing)
    tried, losses = np.asarray(tried, "float64"), np.asarray(losses, "float64")
    if tried.ndim != 1 or tried.shape != losses.shape or not np.isfinite(losses[:1]).all():
        raise ValueError(
            f"tried is {tried.shape} and losses is {losses.shape}; both must be (steps,), and the "
            f"first loss a finite number"
        )
    running, smoothed = 0.0, []
    for step, loss in enumerate(losses, start=1):
        loss = loss if np.isfinite(loss) else np.nan
        running = smoothing * running + (1 - smoothing) * loss
        smoothed.append(running / (1 - smoothing**step))
    smoothed = np.array(smoothed)
    return float(tried[np.nanargmin(smoothed)] / 2), smoothed


def accumulated_gradients(model, loss, x, y, micro_batch):
    """Gradients of the mean loss over a batch, of which only a part is in memory at a time.

    Args:
        model: called in training mode. loss: maps (targets, answers) to the mean over a batch.
        x, y: arrays with the same first axis. micro_batch: examples at a time; the last part may
            have fewer, and counts for as much less.

    Returns:
        A list like `model.trainable_variables`, equal to the gradients of the whole batch unless a
        layer looks at more than one example, as batch normalisation does.

    Raises:
        ValueError: if x and y differ in length or are empty, or micro_batch is below 1.
    """
    check_positive(micro_batch=micro_batch)
    if len(x) != len(y) or not len(x):
        raise ValueError(f"x has {len(x)} examples and y {len(y)}; they need the same, at least 1")
    variables = [variable.value for variable in model.trainable_variables]
    total = [tf.zeros_like(variable) for variable in variables]
    for start in range(0, len(x), micro_batch):
        part = slice(start, start + micro_batch)
        with tf.GradientTape() as tape:
            cost = loss(y[part], model(x[part], training=True)) * (len(x[part]) / len(x))
        gradients = tape.gradient(cost, variables)
        total = [t if g is None else t + g for t, g in zip(total, gradients, strict=True)]
    return total


def apply_each(model, weights, optimizer, loss, parts):
    """Gives the optimiser the gradient of each part in turn, as `fit` does with batches.

    Args:
        model, loss: as in `accumulated_gradients`.
        weights: what the model starts from, as from `model.get_weights()`.
        optimizer: a Keras optimiser that has not been used yet.
        parts: pairs (x, y).

    Returns:
        All trainable weights in a row, before the first call and after each: (calls + 1, count).
    """
    model.set_weights(weights)
    path = [_in_a_row(model.trainable_variables)]
    for x, y in parts:
        gradients = accumulated_gradients(model, loss, x, y, len(x))
        optimizer.apply(gradients, model.trainable_variables)
        path.append(_in_a_row(model.trainable_variables))
    return np.array(path)


def mixup(x, y, alpha, rng):
    """Mixes the examples of a batch in pairs, inputs and targets alike (Zhang et al., 2018).

    Each example is the partner of one, now and then of itself, and has a share of its own.

    Args:
        x: array (B, …). y: targets (B, C), one-hot or probabilities.
        alpha: each share is drawn from Beta(α, α); small: nearly one or the other, 1: any.
        rng: `numpy.random.Generator`.

    Returns:
        (mixed x, mixed y), float32, of the same shapes.

    Raises:
        ValueError: for labels that are not (B, C), rows that are no probabilities, or alpha ≤ 0.
    """
    x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
    check_in("(0, ∞)", alpha=alpha)
    if len(y) != len(x) or not _is_probabilities(y):
        raise ValueError(
            f"y has shape {y.shape}; mixup needs one row of class probabilities for each of the "
            f"{len(x)} examples: a mean of two class numbers is a third class"
        )
    share = rng.beta(alpha, alpha, len(x)).astype("float32")
    other = rng.permutation(len(x))

    def mix(values):
        own = share.reshape(-1, *[1] * (values.ndim - 1))
        return own * values + (1 - own) * values[other]

    return mix(x), mix(y)


def smooth_labels(y, share):
    """Takes a share of each target's probability and spreads it evenly over all classes.

    As Szegedy et al., 2016; with ten classes and a share of 0.1, a target of 1 becomes 0.91.

    Args:
        y: array (B, C), one-hot or probabilities. share: in [0, 1).

    Returns:
        Array (B, C), float32, whose rows still sum to 1.

    Raises:
        ValueError: for labels that are not (B, C), rows that are no probabilities, or another
            share.
    """
    check_in("[0, 1)", share=share)
    y = np.asarray(y)
    if not _is_probabilities(y):
        raise ValueError(
            f"y has shape {y.shape}; smoothing needs one row of class probabilities for each "
            f"example"
        )
    return ((1 - share) * y + share / y.shape[-1]).astype("float32")


def shift(images, most, rng):
    """Moves each image by up to `most` pixels in each direction; what comes in is 0.

    Args:
        images: (B, H, W, C). most: pixels. rng: `numpy.random.Generator`.

    Returns:
        Array like images; each image has its own shift, and every shift is as likely.
    """
    check_whole_number("most", most, 0)
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    down, right = rng.integers(0, 2 * most + 1, (2, len(images), 1))
    rows, columns = down + np.arange(height), right + np.arange(width)
    return padded[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]


def shrink(images, size):
    """Shrinks images (B, H, W, C) to (B, size, size, C), each new pixel a mean over its area."""
    down, across = (area_means(length, size) for length in images.shape[1:3])
    return np.einsum("gh,bhwc,kw->bgkc", down, images, across, optimize=True).astype("float32")


def area_means(length, size):
    """Matrix (size, length) that takes the means over `size` equal parts of `length` pixels."""
    check_positive(length=length, size=size)
    width = length / size
    first = np.arange(size)[:, None] * width
    pixel = np.arange(length)[None]
    shared = np.minimum(pixel + 1, first + width) - np.maximum(pixel, first)
    return (np.maximum(shared, 0) / width).astype("float32")


def shuffled(count, steps, batch_size, rng):
    """Places of the examples of each step: epoch after epoch in a new order, leftovers dropped.

    Returns:
        Whole numbers (steps, batch_size) below count.
    """
    check_positive(count=count, steps=steps)
    check_whole_number("batch_size", batch_size, 1, count)
    each = count // batch_size
    epochs = [rng.permutation(count)[: each * batch_size] for _ in range(-(-steps // each))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps]


def curriculum(difficulty, steps, batch_size, rng, start=0.3):
    """Places of the examples of each step, easy ones first (Bengio et al., 2009).

    Step s draws from the easiest share of the examples. The share grows in a line from `start` to
    1 at half of the steps.

    Args:
        difficulty: (n,), higher is harder. steps, batch_size: whole numbers, at least 1.
        rng: `numpy.random.Generator`. start: first share, in (0, 1].

    Returns:
        Whole numbers (steps, batch_size) below n.

    Raises:
        ValueError: if the first share holds fewer examples than a batch.
    """
    check_positive(steps=steps, batch_size=batch_size)
    check_in("(0, 1]", start=start)
    rank = np.argsort(difficulty, kind="stable")
    shares = np.minimum(1, start + (1 - start) * 2 * np.arange(steps) / steps)
    counts = np.round(len(rank) * shares).astype(int)
    if counts[0] < batch_size:
        raise ValueError(
            f"start is {start!r}, which lets in {counts[0]} of {len(rank)} examples; a batch needs "
            f"{batch_size}"
        )
    return np.stack([rng.choice(rank[:count], batch_size, replace=False) for count in counts])


@register
class StochasticDepth(layers.Layer):
    """Leaves out a branch for whole examples while training (Huang et al., 2016).

    A branch that stays is divided by the survival probability, so that its expectation is the
    branch itself; at test time nothing happens.

    Args:
        survival_probability: how often a branch stays, in (0, 1].

    Call:
        branch: (B, …), before it is added to the shortcut.
    """

    def __init__(self, survival_probability, **options):
        super().__init__(**options)
        check_in("(0, 1]", survival_probability=survival_probability)
        self.survival_probability = survival_probability
        self.seeds = keras.random.SeedGenerator()

    def call(self, branch, training=False):
        if not training or self.survival_probability == 1:
            return branch
        shape = (ops.shape(branch)[0], *[1] * (len(branch.shape) - 1))
        stays = keras.random.uniform(shape, seed=self.seeds) < self.survival_probability
        return branch * ops.cast(stays, branch.dtype) / self.survival_probability

    def get_config(self):
        return super().get_config() | {"survival_probability": self.survival_probability}


@register
class AreaPooling(layers.Layer):
    """Averages maps of any height and width over a grid of size × size equal areas.

    Where an area ends within a pixel, the pixel counts for as much as lies in it.

    Args:
        size: areas in each direction.

    Call:
        maps: (B, H, W, C). Returns (B, size, size, C).
    """

    def __init__(self, size, **options):
        super().__init__(**options)
        check_positive(size=size)
        self.size = size

    def call(self, maps):
        for axis in (1, 2):
            length = ops.cast(ops.shape(maps)[axis], "float32")
            width = length / self.size
            first = ops.arange(self.size, dtype="float32")[:, None] * width
            pixel = ops.arange(0, length, dtype="float32")[None]
            shared = ops.minimum(pixel + 1, first + width) - ops.maximum(pixel, first)
            formula = "gh,bhwc->bgwc" if axis == 1 else "gw,bhwc->bhgc"
            means = ops.cast(ops.relu(shared) / width, maps.dtype)
            maps = ops.einsum(formula, means, maps)
        return maps

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def get_config(self):
        return super().get_config() | {"size": self.size}


def build_network(grid, survival_probability=1.0, width=16, blocks=2):
    """A small residual network with batch normalisation, for square images of any size.

    Args:
        grid: the last maps are averaged over grid × grid areas before they are classified; with 1
            (global average pooling) it is lost where a stroke was seen.
        survival_probability: of the branch of each residual block, in (0, 1]; 1 leaves none out.
        width: channels. blocks: residual blocks, at least 1.

    Returns:
        A `keras.Model` from (B, H, W, 1) to logits (B, 10).
    """
    check_positive(grid=grid, width=width, blocks=blocks)
    check_in("(0, 1]", survival_probability=survival_probability)

    def convolution(x, size, stride=1):
        options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
        x = layers.Conv2D(width, size, stride, **options)(x)
        # The default, 0.99, takes hundreds of steps to forget the statistics that it begins with.
        return layers.BatchNormalization(momentum=0.9)(x)

    images = keras.Input((None, None, 1))
    x = layers.ReLU()(convolution(images, 5, stride=2))
    x = layers.MaxPooling2D(2, padding="same")(x)
    for _ in range(blocks):
        branch = convolution(layers.ReLU()(convolution(x, 3)), 3)
        if survival_probability < 1:
            branch = StochasticDepth(survival_probability)(branch)
        x = layers.ReLU()(x + branch)
    x = layers.Flatten()(AreaPooling(grid)(x))
    # Under mixed precision, too, the logits and what follows stay in float32.
    # A small head answers "I do not know" at first: the loss begins near log 10, not at 8.
    small = keras.initializers.RandomNormal(stddev=0.03)
    return keras.Model(images, layers.Dense(10, kernel_initializer=small, dtype="float32")(x))


class Bench:
    """Trains one network again and again, each time from given weights, but compiles it once.

    Uses SGD with Nesterov momentum. Weight decay, clipping and the moving average of the weights
    mean what they mean in `keras.optimizers.SGD`, and are numbers that can differ from run to run.

    Args:
        model: from images (B, H, W, C) to logits (B, classes).
        momentum: of SGD.
    """

    def __init__(self, model, momentum=0.9):
        self.model = model
        self.optimizer = keras.optimizers.SGD(0.1, momentum=momentum, nesterov=True)
        self.optimizer.build(model.trainable_variables)
        self.weights = [variable.value for variable in model.trainable_variables]
        self.averages = [tf.Variable(weight) for weight in self.weights]
        images = tf.TensorSpec((None, None, *model.input_shape[1:]))
        targets = tf.TensorSpec((None, None, *model.output_shape[-1:]))
        numbers = [tf.TensorSpec((None,))] + [tf.TensorSpec(())] * 3
        # Shapes that are left open are traced once for all sizes.
        self._steps = tf.function(self._steps, input_signature=[images, targets, *numbers])
        one_batch = tf.TensorSpec(images.shape[1:])
        self._answer = tf.function(self._answer, input_signature=[one_batch])

    def start(self, weights):
        """Puts in new weights, as from `model.get_weights()`, and forgets momentum and averages.

        What a layer draws at random, as `StochasticDepth` does, goes on from where it was.
        """
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        # An average that a run has blown up to NaN would stay NaN: 0 · NaN is NaN.
        for mean, weight in zip(self.averages, self.weights, strict=True):
            mean.assign(weight)

    def train(self, images, targets, rates, decay=0.0, clip=np.inf, average=0.0):
        """Takes a step for each batch, and can be called again to go on.

        Args:
            images: (steps, B, H, W, C). targets: (steps, B, classes). rates: (steps,).
            decay: weight decay, times the rate at each step; at least 0.
            clip: largest norm of all gradients taken as one vector, above 0.
            average: how much of the moving average of the weights is kept at a step, in [0, 1).

        Returns:
            The loss of each step before it was taken, an array (steps,).

        Raises:
            ValueError: if images, targets and rates differ in steps, or for another number.
        """
        if not len(images) == len(targets) == len(rates):
            raise ValueError(
                f"there are {len(images)} batches of images, {len(targets)} of targets and "
                f"{len(rates)} rates; each step needs one of each"
            )
        check_in("(0, ∞]", clip=clip)
        check_in("[0, ∞)", decay=decay)
        check_in("[0, 1)", average=average)
        numbers = (np.float32(decay), np.float32(min(clip, 1e9)), np.float32(average))
        return self._steps(images, targets, np.float32(rates), *numbers).numpy()

    def _steps(self, images, targets, rates, decay, clip, average):
        losses = tf.TensorArray("float32", tf.shape(rates)[0])
        for step in tf.range(tf.shape(rates)[0]):
            with tf.GradientTape() as tape:
                logits = self.model(images[step], training=True)
                loss = tf.reduce_mean(
                    tf.nn.softmax_cross_entropy_with_logits(targets[step], logits)
                )
            gradients = tape.gradient(loss, self.weights)
            gradients, _ = tf.clip_by_global_norm(gradients, clip)
            for weight in self.weights:
                weight.assign_sub(rates[step] * decay * weight)
            self.optimizer.learning_rate.assign(rates[step])
            self.optimizer.apply(gradients)
            keep = tf.where(self.optimizer.iterations > 1, average, 0.0)
            for mean, weight in zip(self.averages, self.weights, strict=True):
                mean.assign(keep * mean + (1 - keep) * weight)
            losses = losses.write(step, loss)
        return losses.stack()

    def finish(self):
        """Replaces the weights by their moving averages; with `average=0` nothing changes."""
        for mean, weight in zip(self.averages, self.weights, strict=True):
            weight.assign(mean)

    def _answer(self, images):
        return tf.nn.log_softmax(self.model(images, training=False))

    def evaluate(self, images, labels):
        """Returns (accuracy, NLL): the share that is right, and the mean of −log p of the truth."""
        log_p = self._answer(images).numpy()
        right = np.mean(np.argmax(log_p, axis=1) == labels)
        return float(right), -float(np.mean(log_p[np.arange(len(labels)), labels]))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one run on the bench does beyond a plain one.

    Args:
        shift: largest shift in pixels. mixup: α; 0 mixes nothing.
        smoothing: as in `smooth_labels`.
        decay, clip, average: as in `Bench.train`.
        curriculum: first share of the examples, in (0, 1]; 1 shuffles them as usual.
        sizes: sizes of the images, one for each of equal parts of the run; empty: left as they are.
        patience: epochs without a better NLL on held-out examples until the run ends; 0: never.
        hold_out: share of the examples that is kept for this, between 0 and 1.

    Raises:
        ValueError: if patience meets sizes or an average, which an early end would ignore, or for
            a curriculum, patience or hold_out without a meaning.
    """

    shift: int = 0
    mixup: float = 0.0
    smoothing: float = 0.0
    decay: float = 0.0
    clip: float = np.inf
    average: float = 0.0
    curriculum: float = 1.0
    sizes: tuple = ()
    patience: int = 0
    hold_out: float = 0.2

    def __post_init__(self):
        check_whole_number("patience", self.patience, 0)
        if not (0 < self.hold_out < 1 and 0 < self.curriculum <= 1):
            raise ValueError(
                f"hold_out is {self.hold_out!r} and curriculum {self.curriculum!r}; hold_out must "
                f"be between 0 and 1, curriculum above 0 and at most 1"
            )
        if self.patience and (self.sizes or self.average):
            raise ValueError(
                f"patience is {self.patience!r}; it must be 0 with sizes or an average, since a "
                f"run that stops early uses neither"
            )


def batches(recipe, x, y, steps, batch_size, rng):
    """The images and targets of every step, as a recipe wants them, at the size of x.

    Args:
        recipe: a `Recipe`. x: (n, H, W, C). y: one-hot (n, classes).
        steps, batch_size: whole numbers, at least 1. rng: `numpy.random.Generator`.

    Returns:
        Arrays (steps, batch_size, H, W, C) and (steps, batch_size, classes).
    """
    if recipe.curriculum < 1:
        difficulty = distance_from_mean(x, y)
        order = curriculum(difficulty, steps, batch_size, rng, recipe.curriculum)
    else:
        order = shuffled(len(x), steps, batch_size, rng)
    images, targets = x[order], smooth_labels(y, recipe.smoothing)[order]
    if recipe.shift:
        flat = images.reshape(-1, *x.shape[1:])
        images = shift(flat, recipe.shift, rng).reshape(images.shape)
    if recipe.mixup:
        mixed = [mixup(*pair, recipe.mixup, rng) for pair in zip(images, targets, strict=True)]
        images, targets = (np.stack(parts) for parts in zip(*mixed, strict=True))
    return images, targets


def train(bench, recipe, x, y, rates, batch_size, rng):
    """One run on the bench, from the weights that it was started with.

    The bench ends with the weights that are to be judged: the last, the averaged or, with patience,
    the best on the held-out examples.

    Args:
        bench: a `Bench`. recipe: a `Recipe`. x: (n, H, W, C). y: one-hot (n, classes).
        rates: (steps,). batch_size: examples a step. rng: `numpy.random.Generator`.

    Returns:
        The loss of each step that was taken.
    """
    settings = {"decay": recipe.decay, "clip": recipe.clip, "average": recipe.average}
    if recipe.patience:
        return _stop_early(bench, recipe, x, y, rates, batch_size, rng, settings)
    images, targets = batches(recipe, x, y, len(rates), batch_size, rng)
    losses = []
    sizes = recipe.sizes or x.shape[1:2]
    for size, part in zip(sizes, np.array_split(np.arange(len(rates)), len(sizes)), strict=True):
        shown = images[part]
        if size != x.shape[1]:
            flat = shrink(shown.reshape(-1, *x.shape[1:]), size)
            shown = flat.reshape(*shown.shape[:2], *flat.shape[1:])
        losses.append(bench.train(shown, targets[part], rates[part], **settings))
    bench.finish()
    return np.concatenate(losses)


def measure(bench, starts, recipe, trials, test, rates, batch_size, seed=0):
    """Runs a recipe once from each start, and judges each run on the same test examples.

    A recipe of another name sees the same starts, examples and random numbers: compare run by run.

    Args:
        bench, recipe, rates, batch_size: as in `train`.
        starts: weights to start from, one list a run. trials: a pair (x, one-hot y) for each run.
        test: (images, labels). seed: of the orders and random changes; each run has its own.

    Returns:
        Array (runs, 3): accuracy, NLL, and seconds from the weights to the last step.
    """
    rows = []
    for run, (start, (x, y)) in enumerate(zip(starts, trials, strict=True)):
        bench.start(start)
        began = time.perf_counter()
        train(bench, recipe, x, y, rates, batch_size, np.random.default_rng([seed, run]))
        seconds = time.perf_counter() - began
        rows.append((*bench.evaluate(*test), seconds))
    return np.array(rows)


def gains(scores):
    """By how much each recipe is better than the first of its group, run by run.

    Args:
        scores: dict from group to a dict from recipe to what `measure` returned.

    Returns:
        A pair of dicts, for accuracy and for NLL (where less is better), from group to a dict
        from recipe to an array (runs,), the first recipe left out.
    """
    accuracy, nll = {}, {}
    for group, rows in scores.items():
        base, *others = rows
        accuracy[group] = {name: rows[name][:, 0] - rows[base][:, 0] for name in others}
        nll[group] = {name: rows[base][:, 1] - rows[name][:, 1] for name in others}
    return accuracy, nll


def table(scores):
    """The mean scores as text, with the gains and their range over the runs; arguments as `gains`.

    Returns:
        Lines of text; the gain of the NLL is how far it fell.
    """
    better = gains(scores)
    lines = [f"{'':<26}accuracy, gain [worst, best]       NLL, fall [worst, best]        seconds"]
    for group, rows in scores.items():
        for name, runs in rows.items():
            accuracy, nll, seconds = runs.mean(axis=0)
            texts = []
            for value, gain in zip((accuracy, nll), better, strict=True):
                change = gain[group].get(name, np.zeros(1))
                spread = f"{change.mean():+.3f} [{change.min():+.3f}, {change.max():+.3f}]"
                texts.append(f"{value:.3f}  {spread if name in gain[group] else '':<25}")
            lines.append(f"{group:<8}{name:<18}{'  '.join(texts)} {seconds:5.2f}")
    return "\n".join(lines)


def seconds_a_step(bench, x, y, steps, batch_size, repeats=3):
    """Seconds of one training step, compilation left out: the best of some repeats.

    Trains at a rate of 0, but statistics of normalisation change: start the bench anew after it.

    Args:
        bench: a `Bench`. x, y: as in `train`. steps: in each repeat. batch_size: examples a step.
    """
    order = shuffled(len(x), steps, batch_size, np.random.default_rng(0))
    bench.train(x[order[:1]], y[order[:1]], np.zeros(1))
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        bench.train(x[order], y[order], np.zeros(steps))
        taken.append(time.perf_counter() - began)
    return min(taken) / steps


def _stop_early(bench, recipe, x, y, rates, batch_size, rng, settings):
    held = rng.permutation(len(x)) < round(len(x) * recipe.hold_out)
    images, targets = batches(recipe, x[~held], y[~held], len(rates), batch_size, rng)
    judged = x[held], np.argmax(y[held], axis=1)
    losses, best, waited, kept = [], np.inf, 0, bench.model.get_weights()
    for part in np.array_split(np.arange(len(rates)), -(-len(rates) * batch_size // len(x))):
        losses.append(bench.train(images[part], targets[part], rates[part], **settings))
        cost = bench.evaluate(*judged)[1]
        waited += 1
        if cost < best:
            best, waited, kept = cost, 0, bench.model.get_weights()
        if waited == recipe.patience:
            break
    bench.model.set_weights(kept)
    return np.concatenate(losses)


def distance_from_mean(x, y):
    """Squared distance of each image from the mean image of its class: a cheap "difficulty".

    Args:
        x: (n, H, W, C). y: one-hot (n, classes).

    Returns:
        Array (n,).
    """
    counts = np.maximum(np.sum(y, axis=0), 1)  # a class without examples has no mean to miss
    means = np.einsum("nc,nhwk->chwk", y, x) / counts[:, None, None, None]
    return np.sum(np.square(x - means[np.argmax(y, axis=1)]), axis=(1, 2, 3))


def _in_a_row(values):
    return np.concatenate([np.ravel(value) for value in values])


def _is_probabilities(y):
    return y.ndim == 2 and np.all(y >= 0) and np.allclose(y.sum(axis=1), 1, atol=1e-4)


def _half_cosine(done):
    return (1 + ops.cos(np.pi * done)) / 2
