"""Diffusion models: noise is added to data step by step, and a network learns the way back.

A schedule is an array ᾱ (alpha_bar) of shape (steps,): at time t, counted from 0, a clean x has
become √ᾱₜ x + √(1 − ᾱₜ) ε with ε from a standard normal (Ho et al., 2020). Functions take the
values of ᾱ that they need, as a number or one for each sample, (B,). Images are in [−1, 1] here.
"""

from helpers.arguments import (
    check_choice,
    check_halvings,
    check_in,
    check_positive,
    check_whole_number,
)
from helpers.fitting import averaged_copy, follow

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

TARGETS = ("noise", "velocity")


def linear_schedule(steps, first=0.1, last=20.0):
    """ᾱ where the variance that one step adds grows linearly (Ho et al., 2020).

    The paper's steps add 0.0001 to 0.02 with 1,000 steps. Here the two ends are divided by the
    number of steps, so that the last ᾱ is nearly 0 whatever their number.

    Args:
        steps: number of steps, more than `last`.
        first, last: added variance of the first and of the last step, times `steps`.

    Returns:
        Array (steps,), falling.

    Raises:
        ValueError: if a step would add a variance outside (0, 1).
    """
    check_whole_number("steps", steps, 2)
    if not 0 < first <= last < steps:
        raise ValueError(
            f"first is {first!r} and last {last!r}; they must be 0 < first <= last < steps, "
            f"and steps is {steps}"
        )
    return np.cumprod(1 - np.linspace(first, last, steps) / steps)


def cosine_schedule(steps, offset=0.008):
    """ᾱ that falls along a squared cosine, gently at both ends (Nichol and Dhariwal, 2021).

    Args:
        steps: number of steps.
        offset: keeps the first steps from being vanishingly small; at least 0.

    Returns:
        Array (steps,), falling from below 1 to above 0.
    """
    check_positive(steps=steps)
    check_in("[0, ∞)", offset=offset)
    share = (np.arange(steps + 1) / steps + offset) / (1 + offset)
    kept = np.cos(share * np.pi / 2) ** 2
    # No step adds a variance above 0.999, as in the paper: the last ᾱ would be 0.
    return np.cumprod(np.maximum(kept[1:] / kept[:-1], 0.001))


def added_variance(alpha_bar):
    """β of each step of a schedule: step t turns x into √(1 − βₜ) x + √βₜ ε.

    Args:
        alpha_bar: a whole schedule, array (steps,).

    Returns:
        Array (steps,).
    """
    return 1 - alpha_bar / np.concatenate([[1.0], alpha_bar[:-1]])


def add_noise(clean, noise, alpha_bar):
    """A sample of q(xₜ | x₀): √ᾱ x₀ + √(1 − ᾱ) ε, in one step for any t.

    Args:
        clean, noise: arrays or tensors (B, …) of the same shape.
        alpha_bar: ᾱ at the time wanted, a number or (B,).

    Returns:
        xₜ, like `clean`.

    Raises:
        ValueError: if the shapes do not fit one another.
    """
    alpha_bar = _beside(alpha_bar, clean, noise)
    return alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise


def velocity(clean, noise, alpha_bar):
    """The target v = √ᾱ ε − √(1 − ᾱ) x₀ of Salimans and Ho (2022).

    Args:
        clean, noise, alpha_bar: see `add_noise`.
    """
    alpha_bar = _beside(alpha_bar, clean, noise)
    return alpha_bar**0.5 * noise - (1 - alpha_bar) ** 0.5 * clean


def clean_from_noise(noisy, noise, alpha_bar):
    """x₀ from xₜ and ε. An error in ε is multiplied by √(1 − ᾱ)/√ᾱ, which is large for ᾱ near 0.

    Args:
        noisy, noise: arrays or tensors (B, …).
        alpha_bar: ᾱ at their time, a number or (B,).
    """
    alpha_bar = _beside(alpha_bar, noisy, noise)
    return (noisy - (1 - alpha_bar) ** 0.5 * noise) / alpha_bar**0.5


def clean_from_velocity(noisy, velocity, alpha_bar):
    """x₀ from xₜ and v. An error in v is multiplied by √(1 − ᾱ), so it is never enlarged.

    Args:
        noisy, velocity: arrays or tensors (B, …).
        alpha_bar: ᾱ at their time, a number or (B,).
    """
    alpha_bar = _beside(alpha_bar, noisy, velocity)
    return alpha_bar**0.5 * noisy - (1 - alpha_bar) ** 0.5 * velocity


def noise_from_clean(noisy, clean, alpha_bar):
    """ε from xₜ and x₀: what `add_noise` must have added.

    Args:
        noisy, clean: arrays or tensors (B, …).
        alpha_bar: ᾱ at their time, a number or (B,).
    """
    alpha_bar = _beside(alpha_bar, noisy, clean)
    return (noisy - alpha_bar**0.5 * clean) / (1 - alpha_bar) ** 0.5


def ddim_step(noisy, clean, alpha_bar, earlier, rng=None):
    """One step back without chance: the same clean point and the same noise, mixed for earlier.

    Song et al. (2021), equation 12 with σ = 0.

    Args:
        noisy: xₜ, array (B, …).
        clean: the network's x₀, array like it.
        alpha_bar, earlier: ᾱ at time t and at the earlier time; 1 for clean data.
        rng: not used; every step takes the same arguments.
    """
    noise = noise_from_clean(noisy, clean, alpha_bar)
    return earlier**0.5 * clean + (1 - earlier) ** 0.5 * noise


def ddpm_step(noisy, clean, alpha_bar, earlier, rng):
    """One step back with fresh noise: a draw from q(xₛ | xₜ, x₀), see `posterior`.

    Args:
        noisy, clean, alpha_bar, earlier: see `ddim_step`.
        rng: numpy.random.Generator that the noise comes from.
    """
    if rng is None:
        raise ValueError("rng is None; ddpm_step draws its noise from a numpy.random.Generator")
    mean, variance = posterior(noisy, clean, alpha_bar, earlier)
    return mean + variance**0.5 * rng.normal(size=noisy.shape)


def posterior(noisy, clean, alpha_bar, earlier):
    """Mean and variance of q(xₛ | xₜ, x₀), s before t: a Gaussian (Ho et al., 2020, equation 7).

    Args:
        noisy, clean, alpha_bar, earlier: see `ddim_step`.

    Returns:
        (mean, variance): array like `noisy`, and a number.
    """
    kept = alpha_bar / earlier
    from_clean = earlier**0.5 * (1 - kept) / (1 - alpha_bar)
    from_noisy = kept**0.5 * (1 - earlier) / (1 - alpha_bar)
    variance = (1 - kept) * (1 - earlier) / (1 - alpha_bar)
    return from_clean * clean + from_noisy * noisy, variance


def sampling_times(steps, count):
    """`count` times from the last, steps − 1, downwards, evenly spread.

    Args:
        steps: number of times of the schedule.
        count: how many of them to visit, at most `steps`.

    Returns:
        Array (count,) of whole numbers, falling; with count = steps every time.
    """
    check_positive(steps=steps)
    check_whole_number("count", count, 1, steps)
    return np.round(np.arange(count, 0, -1) * steps / count).astype(int) - 1


def sample(denoise, start, alpha_bar, count, step=ddim_step, rng=None):
    """Walks from noise to data.

    Args:
        denoise: function from xₜ (B, …) and t, a whole number, to x₀ as it is guessed, like xₜ.
        start: array (B, …) from a standard normal.
        alpha_bar: the schedule, array (steps,).
        count: how many of its times to visit.
        step: `ddim_step`, `ddpm_step`, or another function of the same arguments.
        rng: numpy.random.Generator for a step that draws noise.

    Returns:
        Array like `start`.
    """
    times = sampling_times(len(alpha_bar), count)
    x = np.asarray(start)
    for time, next_time in zip(times, [*times[1:], None], strict=True):
        earlier = 1.0 if next_time is None else alpha_bar[next_time]
        x = step(x, np.asarray(denoise(x, time)), alpha_bar[time], earlier, rng)
    return x


def random_batches(arrays, batch_size, seed=0):
    """An endless data set of batches, each row drawn at random from all rows.

    The arrays stay whole in memory and a batch is gathered from them in one go, which costs far
    less than to shuffle and to stack single rows.

    Args:
        arrays: an array (n, …), or a tuple of arrays with the same n.
        batch_size: rows in a batch.
        seed: whole number; the same seed gives the same batches.

    Returns:
        tf.data.Dataset of batches shaped as `arrays` is.

    Raises:
        ValueError: if the arrays have no rows, or not the same number of them.
    """
    check_positive(batch_size=batch_size)
    arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)
    counts = [len(array) for array in tf.nest.flatten(arrays)]
    count = counts[0]
    if count == 0 or len(set(counts)) > 1:
        raise ValueError(f"arrays have {counts} rows; they must have the same number, above 0")

    def draw(i):
        seeds = tf.stack([tf.cast(seed, "int64"), i])
        rows = tf.random.stateless_uniform((batch_size,), seeds, 0, count, "int32")
        return tf.nest.map_structure(lambda array: tf.gather(array, rows), arrays)

    return tf.data.Dataset.counter().map(draw)


@keras.saving.register_keras_serializable("helpers")
class TimeFeatures(layers.Layer):
    """Sines and cosines of the time at many frequencies: (B,) → (B, width).

    Args:
        steps: number of times; t runs from 0 to steps − 1.
        width: number of features, even.

    Raises:
        ValueError: if the width is odd, or one of the two is no whole number above 0.
    """

    def __init__(self, steps, width=32, **kwargs):
        super().__init__(**kwargs)
        check_positive(steps=steps, width=width)
        if width % 2:
            raise ValueError(f"width is {width!r}; it must be even: each sine has its cosine")
        self.steps = steps
        self.width = width

    def call(self, times):
        """Features of the times: the slowest wave makes half a turn, the fastest 8."""
        frequencies = np.pi * np.geomspace(1, 16, self.width // 2).astype("float32")
        angles = ops.cast(times, "float32")[:, None] / self.steps * frequencies
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def get_config(self):
        return super().get_config() | {"steps": self.steps, "width": self.width}


def build_point_network(steps, size=2, widths=(128, 128, 128)):
    """A network for points: [xₜ (B, size), t (B,)] → (B, size).

    Args:
        steps: number of times of the schedule.
        size: numbers in a point.
        widths: units of the hidden layers.
    """
    points, times = keras.Input((size,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([points, TimeFeatures(steps)(times)])
    for width in widths:
        x = layers.Dense(width, activation="silu")(x)
    return keras.Model([points, times], layers.Dense(size)(x), name="point_network")


def build_image_network(
    steps, image_shape=(28, 28, 1), num_classes=10, widths=(32, 64), blocks=(1, 2), embedding=128
):
    """A small U-Net for images: [xₜ (B, H, W, C), t (B,), label (B,)] → (B, H, W, C).

    Each level begins with a convolution of stride 2, so that all work is done at half the size or
    less.

    Args:
        steps: number of times of the schedule.
        image_shape: (H, W, C), H and W multiples of 2^len(widths).
        num_classes: number of labels; the label `num_classes` itself stands for "none given".
        widths: channels of each level.
        blocks: residual blocks of each level, as many numbers as `widths`, on the way down and
            again on the way up; the last level has them once.
        embedding: width of the vector that tells time and label to every block.

    Raises:
        ValueError: if the sides cannot be halved often enough, or `blocks` and `widths` differ in
            length.
    """
    check_halvings("image_shape", image_shape, len(widths), f"{len(widths)} widths")
    if len(blocks) != len(widths):
        raise ValueError(f"blocks is {blocks}; it must have a number for each of widths, {widths}")
    channels = image_shape[-1]
    images = keras.Input(image_shape)
    times, labels = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    told = layers.Dense(embedding)(TimeFeatures(steps)(times))
    normal = keras.initializers.RandomNormal(stddev=1.0)
    # Keras starts embeddings near 0, where labels would long be drowned by the time.
    label_vectors = layers.Embedding(num_classes + 1, embedding, embeddings_initializer=normal)
    told = layers.Add()([told, label_vectors(labels)])
    told = layers.Dense(embedding, activation="silu")(layers.Activation("silu")(told))
    x, skips = images, []
    for filters, count in zip(widths, blocks, strict=True):
        x = layers.Conv2D(filters, 4 if x is images else 2, strides=2, padding="same")(x)
        for _ in range(count):
            x = told_block(x, told, filters)
        skips.append(x)
    for filters, count, skip in zip(widths[-2::-1], blocks[-2::-1], skips[-2::-1], strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = layers.Add()([x, skip])
        for _ in range(count):
            x = told_block(x, told, filters)
    x = layers.Activation("silu")(x)
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(x)
    return keras.Model([images, times, labels], x, name="image_network")


def told_block(x, told, filters):
    """A residual block in which what is told scales and shifts every channel.

    Perez et al. (2018) call this FiLM, feature-wise linear modulation.

    Args:
        x: tensor (B, H, W, filters).
        told: tensor (B, E).
        filters: channels.
    """
    y = layers.Conv2D(filters, 3, padding="same")(layers.Activation("silu")(x))
    scale = layers.Reshape((1, 1, filters))(layers.Dense(filters)(told))
    shift = layers.Reshape((1, 1, filters))(layers.Dense(filters)(told))
    y = layers.Add()([y, layers.Multiply()([y, scale]), shift])
    y = layers.Conv2D(filters, 3, padding="same")(layers.Activation("silu")(y))
    return layers.Add()([x, y])


class Diffusion(keras.Model):
    """A network that learns by `fit`, from clean data, what a noisy input hides.

    Calling the model on [xₜ, t] gives x₀ as the averaged network guesses it. The average is an
    exponential moving average of the trained weights.

    Args:
        network: model from [xₜ (B, …), t (B,)] to (B, …).
        alpha_bar: the schedule, array (steps,).
        target: what the network's output means, "noise" or "velocity".
        bounds: (least, most) that x₀ can be, which guesses are clipped to; None for no clipping.
        average_decay: the share of the average that one step leaves in place, in [0, 1).

    Raises:
        ValueError: for another target, a schedule that leaves (0, 1), bounds that do not rise, or
            a decay not in [0, 1).
    """

    def __init__(
        self, network, alpha_bar, target="noise", bounds=None, average_decay=0.999, **kwargs
    ):
        super().__init__(**kwargs)
        check_choice("target", target, TARGETS)
        if np.ndim(alpha_bar) != 1 or not (np.min(alpha_bar) > 0 and np.max(alpha_bar) < 1):
            raise ValueError(
                f"alpha_bar has shape {np.shape(alpha_bar)} and values from {np.min(alpha_bar):g} "
                f"to {np.max(alpha_bar):g}; it must be (steps,) with values between 0 and 1"
            )
        if bounds is not None and not bounds[0] < bounds[1]:
            raise ValueError(f"bounds is {bounds!r}; it must be (least, most), or None")
        check_in("[0, 1)", average_decay=average_decay)
        self.network = network
        self.averaged_network = averaged_copy(network)
        self.schedule = ops.convert_to_tensor(alpha_bar, "float32")
        self.target = target
        self.bounds = bounds
        self.average_decay = average_decay
        self.seed_generator = keras.random.SeedGenerator()
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.compiled_call = tf.function(self.call, reduce_retracing=True)
        self.built = True

    def compile(self, optimizer, **kwargs):
        super().compile(optimizer=optimizer, **kwargs)
        # Built here, the optimiser creates no variables inside the first step, and TensorFlow
        # need not trace that step twice.
        self.optimizer.build(self.network.trainable_variables)

    @property
    def metrics(self):
        return [self.loss_tracker]

    def train_step(self, clean):
        return self.learn(clean)

    def learn(self, clean, *conditions):
        """Adds noise at times of its own choice and moves the network towards the target."""
        count = ops.shape(clean)[0]
        times = keras.random.randint((count,), 0, len(self.schedule), seed=self.seed_generator)
        alpha_bar = ops.take(self.schedule, times)
        noise = keras.random.normal(ops.shape(clean), seed=self.seed_generator)
        noisy = add_noise(clean, noise, alpha_bar)
        goal = noise if self.target == "noise" else velocity(clean, noise, alpha_bar)
        with tf.GradientTape() as tape:
            output = self.network([noisy, times, *conditions], training=True)
            loss = ops.mean((output - goal) ** 2)
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.average()
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    def average(self):
        """Moves the averaged network a little towards the network."""
        step = self.optimizer.iterations
        follow(self.averaged_network, self.network, self.average_decay, step)

    def call(self, inputs):
        return self.guess(inputs[0], inputs[1], self.averaged_network(inputs, training=False))

    def denoiser(self, *conditions):
        """Returns the function (xₜ, t) → x₀ that `sample` walks by.

        Args:
            conditions: what else the model is called with, arrays (B,).
        """

        def denoise(noisy, time):
            times = np.full(len(noisy), time, "int32")
            inputs = [np.asarray(noisy, "float32"), times, *conditions]
            return self.compiled_call([tf.convert_to_tensor(each) for each in inputs]).numpy()

        return denoise

    def guess(self, noisy, times, output):
        """x₀ that the network's output stands for, within the bounds."""
        convert = clean_from_noise if self.target == "noise" else clean_from_velocity
        clean = convert(noisy, output, ops.take(self.schedule, times))
        return clean if self.bounds is None else ops.clip(clean, *self.bounds)


class GuidedDiffusion(Diffusion):
    """A `Diffusion` that is told labels, and at times none, so that it can be guided by them.

    Calling the model on [xₜ, t, labels] follows Ho and Salimans (2022): the network's output
    without the label, plus `guidance` times what the label changes. Guidance 0 does not listen to
    labels, 1 draws as the labelled data are distributed, more than 1 overdraws what labels tell.

    Args:
        network: model from [xₜ (B, …), t (B,), labels (B,)] to (B, …).
        no_label: the label that stands for "none given".
        guidance: how strongly calls follow the label.
        drop: share of the training labels that are replaced by `no_label`, from 0 to 1.
        others: see `Diffusion`.

    Raises:
        ValueError: if `drop` is no share; and see `Diffusion`.
    """

    def __init__(self, network, alpha_bar, no_label=10, guidance=2.0, drop=0.1, **others):
        super().__init__(network, alpha_bar, **others)
        check_in("[0, 1]", drop=drop)
        self.no_label = no_label
        # A variable, so that it can be changed without a new compilation.
        self.guidance = tf.Variable(guidance, trainable=False, dtype="float32")
        self.drop = drop

    def train_step(self, data):
        clean, labels = data
        dropped = keras.random.uniform(ops.shape(labels), seed=self.seed_generator) < self.drop
        return self.learn(clean, ops.where(dropped, self.no_label, labels))

    def call(self, inputs):
        noisy, times, labels = inputs
        told = [noisy, times, labels]
        untold = [noisy, times, ops.full_like(labels, self.no_label)]
        both = [ops.concatenate(pair) for pair in zip(told, untold, strict=True)]
        with_label, without = ops.split(self.averaged_network(both, training=False), 2)
        output = without + self.guidance * (with_label - without)
        return self.guess(noisy, times, output)


def train(model, arrays, updates, batch_size, rate, seed=0, callbacks=None):
    """Trains a `Diffusion` by Adam, its rate falling to 0 along half a cosine.

    Many updates run inside one call of TensorFlow, since one update of a small network takes less
    time than a call.

    Args:
        model: a `Diffusion`.
        arrays: clean data (n, …), or a tuple (data, labels).
        updates: how many batches to learn from, a multiple of 10.
        batch_size: samples in a batch.
        rate: learning rate at the start.
        seed: see `random_batches`.
        callbacks: for `fit`.

    Returns:
        List of ten numbers: the mean loss of each tenth of the training.
    """
    check_positive(updates=updates)
    if updates % 10:
        raise ValueError(f"updates is {updates!r}; it must be a multiple of 10")
    tenth = updates // 10
    burst = max(count for count in range(1, 51) if tenth % count == 0)
    falling = keras.optimizers.schedules.CosineDecay(rate, updates)
    model.compile(keras.optimizers.Adam(falling), steps_per_execution=burst)
    batches = random_batches(arrays, batch_size, seed)
    options = {"epochs": 10, "steps_per_epoch": tenth, "shuffle": False, "verbose": 0}
    return model.fit(batches, callbacks=callbacks, **options).history["loss"]


def _beside(alpha_bar, x, other):
    """Gives ᾱ of shape (B,) the axes that let it multiply x and another, both of shape (B, …)."""
    shape = tuple(np.shape(x))
    if not _fit(shape, tuple(np.shape(other))):
        raise ValueError(
            f"got arrays of the shapes {shape} and {tuple(np.shape(other))}; they must be the same"
        )
    if len(np.shape(alpha_bar)) == 0:
        return alpha_bar
    if not _fit(tuple(np.shape(alpha_bar)), shape[:1]):
        raise ValueError(
            f"alpha_bar has shape {tuple(np.shape(alpha_bar))}; it must be a number, or "
            f"{shape[:1]}: one for each sample"
        )
    return alpha_bar[(slice(None),) + (None,) * (len(shape) - 1)]


def _fit(shape, other):
    """Tells whether shapes can be equal; a side that is not known yet is None."""
    return len(shape) == len(other) and all(
        a == b or a is None or b is None for a, b in zip(shape, other, strict=True)
    )
