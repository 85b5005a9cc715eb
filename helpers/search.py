"""EfficientNet and its scaling, and searches over a small space of architectures.

Tan and Le (2019), "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks";
Real et al. (2019), "Regularized Evolution for Image Classifier Architecture Search"; Ying et al.
(2019), "NAS-Bench-101". A *score* is an accuracy on validation images, and higher is better. A
*budget* is counted in epochs of training, whoever spends them.
"""

import collections
import contextlib
import itertools
import math
import numbers
import tempfile
import warnings
from typing import NamedTuple

from helpers.arguments import check_choice, check_in, check_positive, check_whole_number
from helpers.convolution import multiply_adds
from helpers.pretrained import STAGES

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
import threadpoolctl
from keras import layers

#: What one step of compound scaling multiplies: depth, width and resolution (section 4).
ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15

KINDS = ("plain", "separable", "mbconv")
STRATEGIES = ("random", "hyperband", "bayesian")


class Size(NamedTuple):
    """How far a network is scaled from EfficientNet-B0, and its dropout."""

    width: float
    depth: float
    resolution: int
    dropout: float = 0.2


#: The published networks; the paper gives the sizes in its code, not in its text.
EFFICIENTNETS = {
    "B0": Size(1.0, 1.0, 224, 0.2),
    "B1": Size(1.0, 1.1, 240, 0.2),
    "B2": Size(1.1, 1.2, 260, 0.3),
    "B3": Size(1.2, 1.4, 300, 0.3),
    "B4": Size(1.4, 1.8, 380, 0.4),
    "B5": Size(1.6, 2.2, 456, 0.4),
    "B6": Size(1.8, 2.6, 528, 0.5),
    "B7": Size(2.0, 3.1, 600, 0.5),
}


class Architecture(NamedTuple):
    """A small network: `depth` blocks of one kind behind a stem."""

    kind: str
    depth: int
    width: int
    kernel: int


#: What each part of an `Architecture` may be.
SPACE = {
    "kind": KINDS,
    "depth": (1, 2),
    "width": (4, 8, 12, 16),
    "kernel": (3, 5),
}


class Trial(NamedTuple):
    """One architecture that a search looked at: what it paid, and what it saw."""

    architecture: Architecture
    epochs: int
    score: float


# EfficientNet


def squeeze_and_excitation(x, reduced):
    """Scales each channel by a factor in (0, 1) that is read from all channels' means.

    Hu et al. (2018), "Squeeze-and-Excitation Networks"; with Swish in place of their ReLU, as in
    EfficientNet.

    Args:
        x: tensor (B, H, W, C).
        reduced: channels between the two layers, usually fewer than C.

    Returns:
        Tensor (B, H, W, C).

    Raises:
        ValueError: if reduced is not a whole number of at least 1.
    """
    check_positive(reduced=reduced)
    means = layers.GlobalAveragePooling2D(keepdims=True)(x)
    factors = layers.Conv2D(reduced, 1, activation="silu")(means)
    factors = layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(factors)
    return layers.Multiply()([x, factors])


def mbconv_block(x, filters, kernel_size=3, stride=1, expansion=6, squeeze=0.25, drop_rate=0.0):
    """Widen by 1×1, filter each channel by k×k, weigh the channels, narrow by 1×1.

    Sandler et al. (2018), "MobileNetV2"; with squeeze and excitation Tan et al. (2019), "MnasNet",
    figure 7. Where the shape stays, the input is added; nothing follows the narrow end but batch
    normalisation.

    Args:
        x: tensor (B, H, W, C).
        filters: channels of the output.
        kernel_size: side k of the depthwise filter.
        stride: step of the depthwise filter.
        expansion: channels in the middle as a multiple of C; with 1 there is no widening.
        squeeze: width inside `squeeze_and_excitation` as a share of C; 0 leaves it out.
        drop_rate: probability, below 1, that training drops the block for an image and keeps the
            input; without effect where the shape changes.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, filters).

    Raises:
        ValueError: if a number is out of its range.
    """
    check_positive(filters=filters, kernel_size=kernel_size, stride=stride, expansion=expansion)
    check_in("[0, 1]", squeeze=squeeze)
    check_in("[0, 1)", drop_rate=drop_rate)
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = _active(_convolution(x, channels * expansion))
    x = _active(_depthwise(x, kernel_size, stride))
    if squeeze > 0:
        # A share of the channels that came in, not of the widened ones.
        x = squeeze_and_excitation(x, max(1, int(channels * squeeze)))
    x = _normalised(_convolution(x, filters))
    if stride > 1 or channels != filters:
        return x
    if drop_rate > 0:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1))(x)
    return layers.Add()([x, shortcut])


def compound_scaling(phi):
    """How deep, wide and fine a network gets for about 2^φ times the multiplications.

    Multiplications grow like depth · width² · resolution², and α·β²·γ² ≈ 2.

    Args:
        phi: a number; 0 is EfficientNet-B0.

    Returns:
        The factors of depth, width and resolution: α^φ, β^φ, γ^φ.

    Raises:
        ValueError: if phi is not a finite number.
    """
    if not isinstance(phi, numbers.Real) or not math.isfinite(phi):
        raise ValueError(f"phi is {phi!r}; it must be a finite number")
    return ALPHA**phi, BETA**phi, GAMMA**phi


def round_channels(channels, width, divisor=8):
    """Scales a number of channels and rounds it to a multiple of the divisor.

    Rounding down may not take away more than a tenth; where it would, the next multiple is taken.

    Args:
        channels: channels in EfficientNet-B0.
        width: factor.
        divisor: what the result is a multiple of.

    Returns:
        A whole number.

    Raises:
        ValueError: if channels or divisor is not a positive whole number, or width is not a finite
            number above 0.
    """
    check_positive(channels=channels, divisor=divisor)
    check_in("(0, ∞)", width=width)
    scaled = channels * width
    rounded = max(divisor, int(scaled + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * scaled else rounded


def scaled_stages(width, depth):
    """The seven stages of EfficientNet-B0 (table 1) with channels and repetitions scaled.

    Args:
        width: factor of the channels, see `round_channels`.
        depth: factor of the repetitions, which are rounded up.

    Returns:
        Tuples (kernel, stride of the first block, expansion, channels, repetitions).

    Raises:
        ValueError: if a factor is not a finite number above 0.
    """
    check_in("(0, ∞)", depth=depth)
    return tuple(
        (kernel, stride, expansion, round_channels(channels, width), math.ceil(depth * repeats))
        for kernel, stride, expansion, channels, repeats in STAGES
    )


def build_efficientnet(
    width=1.0, depth=1.0, resolution=224, dropout=0.2, num_classes=1000, drop_rate=0.2
):
    """EfficientNet at any size; `build_efficientnet(*EFFICIENTNETS["B3"])` is B3.

    Args:
        width, depth: factors, see `scaled_stages`.
        resolution: side of the images, at least 32.
        dropout: before the last layer.
        num_classes: width of the logits.
        drop_rate: towards which the rates of the blocks (see `mbconv_block`) grow from 0.

    Returns:
        A `keras.Model` from normalised images (B, resolution, resolution, 3) to logits.

    Raises:
        ValueError: if a number is out of its range.
    """
    check_whole_number("resolution", resolution, 32)
    check_positive(num_classes=num_classes)
    check_in("[0, 1)", dropout=dropout)
    check_in("[0, 1)", drop_rate=drop_rate)
    stages = scaled_stages(width, depth)
    blocks, done = sum(stage[-1] for stage in stages), 0
    inputs = keras.Input((resolution, resolution, 3))
    x = _active(_convolution(inputs, round_channels(32, width), 3, 2))
    for kernel, stride, expansion, channels, repeats in stages:
        for i in range(repeats):
            step, rate = stride if i == 0 else 1, drop_rate * done / blocks
            x = mbconv_block(x, channels, kernel, step, expansion, drop_rate=rate)
            done += 1
    x = _active(_convolution(x, round_channels(1280, width)))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(num_classes)(x), name="efficientnet")


def efficientnet_cost(width=1.0, depth=1.0, resolution=224, dropout=0.2, num_classes=1000):
    """Counts an EfficientNet without building it.

    Args:
        width, depth, resolution, num_classes: see `build_efficientnet`.
        dropout: costs nothing; it stands here so that a whole `Size` can be passed.

    Returns:
        Its parameters that are trained, and its multiplications with an addition for one image, as
        `convolution.multiply_adds` counts them.

    Raises:
        ValueError: if a number is out of its range.
    """
    check_whole_number("resolution", resolution, 32)
    check_positive(num_classes=num_classes)
    parameters = cost = 0
    channels, side = 3, resolution

    def add(weights, places, normalised):
        nonlocal parameters, cost
        parameters += weights + 2 * normalised
        cost += weights * places

    width_of_stem, width_of_head = round_channels(32, width), round_channels(1280, width)
    side = math.ceil(side / 2)
    add(9 * channels * width_of_stem, side**2, width_of_stem)
    channels = width_of_stem
    for kernel, stride, expansion, filters, repeats in scaled_stages(width, depth):
        for i in range(repeats):
            middle, reduced = channels * expansion, max(1, int(channels * 0.25))
            if expansion > 1:
                add(channels * middle, side**2, middle)
            side = math.ceil(side / stride) if i == 0 else side
            add(kernel**2 * middle, side**2, middle)
            add(2 * middle * reduced, 1, 0)
            parameters += reduced + middle  # the biases of squeeze and excitation
            add(middle * filters, side**2, filters)
            channels = filters
    add(channels * width_of_head, side**2, width_of_head)
    add(width_of_head * num_classes, 1, 0)
    return parameters + num_classes, cost


# A small space


def architectures(space=SPACE):
    """Every architecture of a space, in a fixed order.

    Args:
        space: dict from each field of `Architecture` to its choices.

    Returns:
        A list of `Architecture`.

    Raises:
        ValueError: if the space leaves out a field or names another one, or has a field without
            choices or with a choice twice.
    """
    _check_space(space)
    return [Architecture(*picks) for picks in itertools.product(*_choices(space))]


def build_candidate(architecture, input_shape=(28, 28, 1), num_classes=10):
    """The network of an `Architecture`, for small images.

    A stem (3×3, stride 2), then the blocks, of which the first has stride 2 and doubles the
    channels, then means over 2×2 places and a dense layer.

    Args:
        architecture: an `Architecture`.
        input_shape: (H, W, C).
        num_classes: width of the logits.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: if the kind is unknown or a number is not whole and positive.
    """
    kind, depth, width, kernel = architecture
    check_choice("kind", kind, KINDS)
    check_positive(depth=depth, width=width, kernel=kernel, num_classes=num_classes)
    inputs = keras.Input(input_shape)
    x = _active(_convolution(inputs, width, 3, 2))
    for i in range(depth):
        stride = 2 if i == 0 else 1
        if kind == "plain":
            x = _active(_convolution(x, 2 * width, kernel, stride))
        elif kind == "separable":
            x = _active(_convolution(_active(_depthwise(x, kernel, stride)), 2 * width))
        else:
            x = mbconv_block(x, 2 * width, kernel, stride, expansion=2)
    x = layers.Flatten()(layers.AveragePooling2D(2, padding="same")(x))
    return keras.Model(inputs, layers.Dense(num_classes)(x), name=kind)


class Benchmark:
    """Trains an architecture when it is first asked for, and remembers how that went.

    So a search that asks again pays nothing, and many searches can be compared on the same
    numbers, as on NAS-Bench-101 (Ying et al., 2019). Every architecture gets the same training,
    at a constant rate, so that the first epochs of a long training are a short training.

    Args:
        train, validation, test: pairs of images (n, H, W, C) and labels (n,).
        milestones: numbers of epochs after which the validation images are read, rising; the last
            is a full training.
        batch_size: images in one step.
        learning_rate: of gradient descent with momentum 0.9.
        seed: of the weights and of the order of the images.

    Raises:
        ValueError: if the milestones do not rise, a number is out of its range, or a part has no
            images or not a label for each.
    """

    def __init__(
        self,
        train,
        validation,
        test,
        milestones=(1, 3, 9),
        batch_size=50,
        learning_rate=0.1,
        seed=0,
    ):
        check_positive(**{f"milestones[{i}]": epochs for i, epochs in enumerate(milestones)})
        if not milestones or list(milestones) != sorted(set(milestones)):
            raise ValueError(f"milestones is {milestones!r}; it must be numbers that rise")
        _check_images(train=train, validation=validation, test=test)
        check_whole_number("batch_size", batch_size, 1, len(train[0]))
        check_in("(0, ∞)", learning_rate=learning_rate)
        check_whole_number("seed", seed, 0)
        self.train, self.validation, self.test = (
            tuple(tf.constant(part) for part in pair) for pair in (train, validation, test)
        )
        self.milestones, self.batch_size = tuple(milestones), batch_size
        self.learning_rate, self.seed = learning_rate, seed
        self.records = {}

    def __call__(self, architecture, epochs=None):
        """Returns the accuracy on the validation images after so many epochs, all if None.

        Raises:
            ValueError: if epochs is not one of the milestones.
        """
        epochs = self.milestones[-1] if epochs is None else epochs
        if epochs not in self.milestones:
            raise ValueError(f"epochs is {epochs!r}; the milestones are {self.milestones}")
        return self.record(architecture)["validation"][epochs]

    def record(self, architecture):
        """Returns what is known of an architecture; trains it if nothing is.

        Returns:
            A dict: `validation`, from each milestone to an accuracy; `correct`, for each test
            image whether it is read right in the end (n,); `parameters` and `multiply_adds`.
        """
        if architecture not in self.records:
            self.records[architecture] = self._train(architecture)
        return self.records[architecture]

    def _train(self, architecture):
        keras.utils.set_random_seed(self.seed)
        rng = np.random.default_rng(self.seed)
        images, labels = self.train
        model = build_candidate(architecture, images.shape[1:], int(np.max(labels)) + 1)
        # Plain momentum: compiling Adam's update would take as long as a third of the training.
        optimizer = keras.optimizers.SGD(self.learning_rate, momentum=0.9)
        optimizer.build(model.trainable_variables)
        run = _compiled_training(model, optimizer, self.train, self.validation)
        steps, done, validation = len(images) // self.batch_size, 0, {}
        for epochs in self.milestones:
            orders = [
                rng.permutation(len(images))[: steps * self.batch_size].reshape(steps, -1)
                for _ in range(epochs - done)
            ]
            validation[epochs] = float(run(tf.constant(np.concatenate(orders), tf.int32)))
            done = epochs
        answers = np.argmax(model(self.test[0], training=False), axis=-1)
        return {
            "validation": validation,
            "correct": answers == self.test[1].numpy(),
            "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
            "multiply_adds": multiply_adds(model),
        }


def _compiled_training(model, optimizer, train, validation):
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)])
    def run(batches):
        for batch in batches:  # TensorFlow makes this a loop of its own and compiles it once
            images, labels = tf.gather(train[0], batch), tf.gather(train[1], batch)
            with tf.GradientTape() as tape:
                loss = loss_of(labels, model(images, training=True))
            optimizer.apply(tape.gradient(loss, model.trainable_variables))
        answers = tf.argmax(model(validation[0], training=False), -1, output_type=tf.int32)
        return tf.reduce_mean(tf.cast(answers == validation[1], tf.float32))

    return run


# Searches


def random_architecture(space, rng):
    """Draws each part of an architecture independently and evenly.

    Args:
        space: dict from each field of `Architecture` to its choices.
        rng: a NumPy generator.

    Returns:
        An `Architecture`.

    Raises:
        ValueError: if the space is none, see `architectures`.
    """
    _check_space(space)
    return Architecture(*(choices[rng.integers(len(choices))] for choices in _choices(space)))


def mutate(architecture, space, rng):
    """Changes one part of an architecture to another of its choices.

    Args:
        architecture: an `Architecture` of the space; it is left as it is.
        space: dict from each field of `Architecture` to its choices.
        rng: a NumPy generator.

    Returns:
        An `Architecture` that differs in exactly one field.

    Raises:
        ValueError: if no field has two choices, or the space is none, see `architectures`.
    """
    _check_space(space)
    fields = [name for name in Architecture._fields if len(space[name]) > 1]
    if not fields:
        raise ValueError("space has one choice for each field; there is nothing to change")
    field = fields[rng.integers(len(fields))]
    others = [choice for choice in space[field] if choice != getattr(architecture, field)]
    return architecture._replace(**{field: others[rng.integers(len(others))]})


def regularised_evolution(evaluate, space, budget, epochs, population=4, tournament=2, seed=0):
    """Mutates good architectures; the oldest dies, however good it is.

    Real et al. (2019), algorithm 1. As everyone dies, an architecture that was only lucky does not
    stay for ever.

    Args:
        evaluate: function from an `Architecture` and a number of epochs to a score.
        space: dict from each field of `Architecture` to its choices.
        budget: epochs in all.
        epochs: of one training.
        population: how many are alive; the first ones are drawn at random.
        tournament: how many are drawn, with replacement, to find a parent: the best of them.
        seed: of all draws.

    Returns:
        A list of `Trial`, ⌊budget / epochs⌋ in number.

    Raises:
        ValueError: if a number is not whole and positive, or the budget does not pay for the
            first population.
    """
    check_positive(epochs=epochs, population=population, tournament=tournament)
    check_whole_number("budget", budget, population * epochs)
    check_whole_number("seed", seed, 0)
    rng = np.random.default_rng(seed)
    alive = collections.deque(maxlen=population)  # one more pushes the oldest out
    trials = []
    for i in range(budget // epochs):
        if i < population:
            child = random_architecture(space, rng)
        else:
            drawn = [alive[j] for j in rng.integers(population, size=tournament)]
            parent = max(drawn, key=lambda trial: trial.score)
            child = mutate(parent.architecture, space, rng)
        alive.append(Trial(child, epochs, evaluate(child, epochs)))
        trials.append(alive[-1])
    return trials


def tuner_search(strategy, evaluate, space, budget, epochs, seed=0, initial_points=6):
    """Runs a search of KerasTuner on a budget of epochs, silently.

    Args:
        strategy: "random" (no architecture twice), "hyperband" (many short trainings, the best of
            which go on; Li et al., 2018) or "bayesian" (a Gaussian process predicts scores, and
            the architecture with the highest upper bound comes next).
        evaluate: function from an `Architecture` and a number of epochs to a score.
        space: dict from each field of `Architecture` to its choices.
        budget: epochs in all. A training that would exceed it is not begun.
        epochs: of a full training. Hyperband also asks for a third of them, a ninth and so on,
            rounded up.
        seed: of the search.
        initial_points: random architectures before the Gaussian process is asked.

    Returns:
        A list of `Trial`. Where Hyperband goes on with a training, only the further epochs are
        paid.

    Raises:
        ValueError: if the strategy is unknown, the space is none, a number is out of its range, or
            the budget does not pay one full training.
        keras_tuner.errors.FatalError: if evaluate fails; its cause is the error.
    """
    check_choice("strategy", strategy, STRATEGIES)
    check_positive(epochs=epochs, initial_points=initial_points)
    check_whole_number("budget", budget, epochs)
    check_whole_number("seed", seed, 0)
    shared = {
        "objective": keras_tuner.Objective("score", "max"),
        "hyperparameters": _hyperparameters(space),
        # KerasTuner counts its seed up by one with every draw, so that searches from neighbouring
        # seeds would visit the same architectures.
        "seed": int(np.random.default_rng(seed).integers(2**31)),
    }
    if strategy == "random":
        oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=budget // epochs, **shared)
    elif strategy == "bayesian":
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            max_trials=budget // epochs, num_initial_points=initial_points, **shared
        )
    else:
        oracle = keras_tuner.oracles.HyperbandOracle(
            max_epochs=epochs, hyperband_iterations=None, **shared
        )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KerasTuner calls what Python has deprecated
        tuner = _Recorder(oracle, evaluate, epochs, budget, folder)
        # The Gaussian process has tiny matrices, for which more threads take twice as long.
        with threadpoolctl.threadpool_limits(1), contextlib.suppress(_BudgetSpent):
            tuner.search()
    return tuner.trials


class _BudgetSpent(keras_tuner.errors.FatalError):
    """The next training would exceed the budget."""


class _Recorder(keras_tuner.engine.base_tuner.BaseTuner):
    """Answers the trials of a KerasTuner oracle with scores until the budget is spent."""

    def __init__(self, oracle, evaluate, epochs, budget, folder):
        oracle.verbose = 0
        super().__init__(oracle, directory=folder, project_name="search")
        self.evaluate, self.epochs, self.left = evaluate, epochs, budget
        self.trials = []

    def run_trial(self, trial):
        values = trial.hyperparameters.values
        architecture = Architecture(*(values[name] for name in Architecture._fields))
        # Hyperband says how far to train, and from where it goes on.
        epochs = values.get("tuner/epochs", self.epochs)
        paid = epochs - values.get("tuner/initial_epoch", 0)
        if paid > self.left:
            raise _BudgetSpent
        self.left -= paid
        try:
            score = self.evaluate(architecture, epochs)
        except Exception as error:
            # Of another error KerasTuner makes a failed trial, and goes on.
            raise keras_tuner.errors.FatalError(f"evaluate failed on {architecture}") from error
        self.trials.append(Trial(architecture, paid, score))
        return {"score": score}


# What a search found


def best_so_far(trials, budget):
    """The best score that a search has seen after each epoch paid.

    Args:
        trials: list of `Trial`.
        budget: epochs.

    Returns:
        Array (budget,); NaN before the first training has ended.

    Raises:
        ValueError: if the trials cost more than the budget, or one of them or the budget is not a
            whole number of at least 1.
    """
    check_positive(budget=budget, **{f"trials[{i}].epochs": t.epochs for i, t in enumerate(trials)})
    spent = sum(trial.epochs for trial in trials)
    if spent > budget:
        raise ValueError(f"the trials cost {spent} epochs; the budget is {budget}")
    curve, best, now = np.full(budget, np.nan), np.nan, 0
    for trial in trials:
        now += trial.epochs
        best = np.fmax(best, trial.score)
        curve[now - 1 :] = best
    return curve


def expected_best(scores, draws):
    """The mean of the best score among so many different architectures drawn at random.

    All ways to draw are equally likely, so the i-th smallest of n is the best of k draws with
    probability C(i − 1, k − 1) / C(n, k).

    Args:
        scores: of all architectures (n,), finite.
        draws: k, from 1 to n.

    Returns:
        A number.

    Raises:
        ValueError: if the scores are not such, or draws is out of its range.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or not np.all(np.isfinite(scores)):
        raise ValueError(f"scores has shape {scores.shape}; it must be (n,), all of them finite")
    check_whole_number("draws", draws, 1, len(scores))
    every = math.comb(len(scores), draws)
    # Divided while they are whole numbers: for large n they are beyond what a float can hold.
    chances = [math.comb(i, draws - 1) / every for i in range(len(scores))]
    return float(np.dot(np.sort(scores), chances))


def pareto_front(costs, scores):
    """Those that nothing else beats: whatever costs no more scores less, or is equal in both.

    Args:
        costs, scores: numbers (n,), none of them NaN; low costs and high scores are good.

    Returns:
        A list of their indices, by rising cost.

    Raises:
        ValueError: if the lengths differ, nothing is given, or a number is NaN.
    """
    costs, scores = np.asarray(costs), np.asarray(scores)
    if costs.ndim != 1 or costs.shape != scores.shape or len(costs) == 0:
        raise ValueError(
            f"costs has shape {costs.shape} and scores {scores.shape}; both must be (n,), n ≥ 1"
        )
    if np.any(np.isnan(costs)) or np.any(np.isnan(scores)):
        raise ValueError("costs or scores holds NaN, which is neither more nor less than a number")
    front, best = [], -np.inf
    for i in np.lexsort((-scores, costs)):
        tie = front and scores[i] == best and costs[i] == costs[front[-1]]
        if not front or scores[i] > best or tie:
            front.append(int(i))
            best = scores[i]
    return front


def optimism(correct, count, part, repeats=1000, seed=0):
    """What is gained on paper by choosing the best candidate on the images that report on it.

    Again and again `count` candidates and `part` test images are drawn. The candidate that is best
    on these images is scored on them, and on all other test images.

    Args:
        correct: booleans (candidates, n), whether a candidate reads a test image right.
        count: candidates to choose from.
        part: images to choose on, fewer than n.
        repeats: how often.
        seed: of the draws.

    Returns:
        The mean accuracy of the chosen on the images that chose it, and on the others.

    Raises:
        ValueError: if correct has another shape or other values, or a number is out of its range.
    """
    correct = np.asarray(correct)
    if correct.ndim != 2 or not np.all((correct == 0) | (correct == 1)):
        raise ValueError(f"correct has shape {correct.shape}; it must be booleans (candidates, n)")
    correct = correct.astype(bool)
    check_whole_number("count", count, 1, len(correct))
    check_whole_number("part", part, 1, correct.shape[1] - 1)
    check_positive(repeats=repeats)
    check_whole_number("seed", seed, 0)
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(repeats):
        drawn = correct[rng.permutation(len(correct))[:count]]
        order = rng.permutation(correct.shape[1])
        seen, unseen = drawn[:, order[:part]], drawn[:, order[part:]]
        chosen = np.argmax(seen.mean(axis=1))
        pairs.append((seen[chosen].mean(), unseen[chosen].mean()))
    on_seen, on_unseen = np.mean(pairs, axis=0)
    return float(on_seen), float(on_unseen)


def _hyperparameters(space):
    _check_space(space)
    hyperparameters = keras_tuner.HyperParameters()
    for name, choices in zip(Architecture._fields, _choices(space), strict=True):
        # Numbers are ordered, so that a Gaussian process knows 16 to lie between 8 and 32.
        hyperparameters.Choice(name, list(choices), ordered=not isinstance(choices[0], str))
    return hyperparameters


def _choices(space):
    return [space[name] for name in Architecture._fields]


def _check_space(space):
    fields = set(Architecture._fields)
    if set(space) != fields or not all(_are_choices(choices) for choices in space.values()):
        raise ValueError(
            f"space is {space!r}; it needs a list of one or more choices, none twice, for each of "
            f"{', '.join(Architecture._fields)}"
        )


def _are_choices(choices):
    # A string would be taken for a list of its letters.
    return not isinstance(choices, str) and len(choices) == len(set(choices)) > 0


def _check_images(**parts):
    for name, (images, labels) in parts.items():
        if not len(images) == len(labels) > 0:
            raise ValueError(
                f"{name} has {len(images)} images and {len(labels)} labels; it needs one or more "
                "images, and a label for each"
            )


def _convolution(x, filters, kernel_size=1, stride=1):
    # No bias: a normalisation follows, which would take it away.
    convolution = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    return convolution(x)


def _depthwise(x, kernel_size, stride):
    return layers.DepthwiseConv2D(
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
    )(x)


def _normalised(x):
    # Keras' momentum of 0.99 lags for hundreds of steps behind a network that learns quickly.
    return layers.BatchNormalization(momentum=0.9)(x)


def _active(x):
    return layers.Activation("silu")(_normalised(x))
