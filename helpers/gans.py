"""Generative adversarial networks (Goodfellow et al., 2014) and the networks they are made of.

Discriminators return logits: no sigmoid at their end, and losses that are finite at any logit.
Images are in [0, 1], channels last.
"""

from helpers import arguments, metrics
from helpers.fitting import averaged_copy, follow, train_with_cosine

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops, tree
from scipy.special import rel_entr


def optimal_discriminator(p_data, p_generator):
    """The best answer to a fixed generator: D*(x) = p_data / (p_data + p_generator).

    Goodfellow et al. (2014), proposition 1.

    Args:
        p_data, p_generator: arrays of the same shape, the two densities at the same points.

    Returns:
        Array of that shape in [0, 1]; ½ where both densities are 0, since any answer is as good.

    Raises:
        ValueError: if the shapes differ, or a density is negative or not finite.
    """
    p_data, p_generator = _densities(p_data, p_generator)
    total = p_data + p_generator
    return np.divide(p_data, total, out=np.full(total.shape, 0.5), where=total > 0)


def jensen_shannon_divergence(p_data, p_generator):
    """½ KL(p ‖ m) + ½ KL(q ‖ m) in nats, with m the mean of the two distributions.

    It is 0 for equal distributions and log 2 for distributions that share no point.

    Args:
        p_data, p_generator: arrays (n,) of probabilities that sum to 1 each.

    Returns:
        A float in [0, log 2].

    Raises:
        ValueError: if the shapes differ, a value is negative or not finite, or a sum is not 1.
    """
    p_data, p_generator = _densities(p_data, p_generator)
    for name, values in (("p_data", p_data), ("p_generator", p_generator)):
        if abs(values.sum() - 1) > 1e-6:
            raise ValueError(f"{name} sums to {values.sum():.6g}; probabilities must sum to 1")
    middle = (p_data + p_generator) / 2
    return float(rel_entr(p_data, middle).sum() + rel_entr(p_generator, middle).sum()) / 2


def discriminator_loss(real_logits, fake_logits, smoothing=0.0):
    """Cross-entropy of real images against 1 and of generated images against 0.

    It is −E log D(x) − E log(1 − D(G(z))) with D = σ(logit): the value of the game with its sign
    turned (Goodfellow et al., 2014, equation 1). Where D always says ½ it is 2 log 2.

    Args:
        real_logits, fake_logits: the discriminator's logits, (B, 1) or (B,).
        smoothing: the target for real images is 1 − smoothing, with smoothing in [0, 1); that for
            generated images stays 0 (one-sided label smoothing, Salimans et al., 2016).

    Returns:
        A scalar in nats.

    Raises:
        ValueError: if smoothing is not in [0, 1).
    """
    arguments.check_in("[0, 1)", smoothing=smoothing)
    # −log σ(a) = softplus(−a) and −log(1 − σ(a)) = softplus(a); neither overflows.
    real = (1 - smoothing) * ops.softplus(-real_logits) + smoothing * ops.softplus(real_logits)
    return ops.mean(real) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """The generator's loss −E log D(G(z)), called non-saturating; log 2 where D says ½.

    Its gradient is largest where the discriminator is sure that the image is generated.

    Args:
        fake_logits: the discriminator's logits of generated images, (B, 1) or (B,).

    Returns:
        A scalar in nats.
    """
    return ops.mean(ops.softplus(-fake_logits))


def saturating_generator_loss(fake_logits):
    """The generator's loss as the game states it, E log(1 − D(G(z))).

    It is −log 2 where D says ½. Its gradient vanishes where the discriminator is sure that the
    image is generated, which is where a new generator stands (Goodfellow et al., 2014, section 3).

    Args:
        fake_logits: the discriminator's logits of generated images, (B, 1) or (B,).

    Returns:
        A scalar in nats.
    """
    return -ops.mean(ops.softplus(fake_logits))


def gradient_penalty(critic, real, fake, seed=None):
    """Mean of (‖∇critic(x̂)‖ − 1)², x̂ drawn uniformly between real and generated images.

    Gulrajani et al. (2017), equation 3, without its factor λ. The norm is taken over all pixels of
    an image, one norm an image.

    Args:
        critic: function from images (B, …) to scores (B, 1), each image judged by itself.
        real, fake: images (B, …) of the same shape, taken in pairs.
        seed: see `keras.random.uniform`.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes of real and fake differ.
    """
    if not tf.TensorShape(real.shape).is_compatible_with(fake.shape):
        raise ValueError(
            f"real has shape {tuple(real.shape)} and fake {tuple(fake.shape)}; they are taken in "
            "pairs and must have the same shape"
        )
    one_an_image = (ops.shape(real)[0],) + (1,) * (len(real.shape) - 1)
    share = keras.random.uniform(one_an_image, seed=seed)
    points = share * real + (1 - share) * fake
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = critic(points)
    slopes = tape.gradient(scores, points)
    squares = ops.sum(slopes**2, axis=tuple(range(1, len(slopes.shape))))
    # The square root has an infinite slope at 0, where 0 · ∞ would make every weight NaN.
    norms = ops.sqrt(ops.maximum(squares, 1e-12))
    return ops.mean((norms - 1) ** 2)


def build_dense_generator(latent_size=64, image_shape=(28, 28, 1), widths=(128, 256)):
    """A generator of dense layers: noise (B, latent_size) → images (B, H, W, C) in [0, 1]."""
    blocks = [keras.Input((latent_size,))]
    for width in widths:
        # The normalisation's offset does the work of a bias.
        blocks += [layers.Dense(width, use_bias=False), _normalisation(), layers.ReLU()]
    pixels = int(np.prod(image_shape))
    blocks += [layers.Dense(pixels, activation="sigmoid"), layers.Reshape(image_shape)]
    return keras.Sequential(blocks, name="dense_generator")


def build_dense_discriminator(input_shape=(28, 28, 1), widths=(256, 128)):
    """A discriminator of dense layers: inputs (B, …) → logits (B, 1)."""
    blocks = [keras.Input(input_shape), layers.Flatten()]
    for width in widths:
        blocks += [layers.Dense(width), layers.LeakyReLU(negative_slope=0.2)]
    return keras.Sequential([*blocks, layers.Dense(1)], name="dense_discriminator")


def build_generator(latent_size=64, image_shape=(28, 28, 1), widths=(48, 32)):
    """A convolutional generator after DCGAN (Radford et al., 2016).

    Noise becomes a small map, and each transposed convolution doubles its sides.

    Args:
        latent_size: length of the noise vector.
        image_shape: (H, W, C) of the images; H and W must be multiples of 2^len(widths).
        widths: channels of the maps, from the smallest map to the largest; one doubling for each.

    Returns:
        keras.Model from noise (B, latent_size) to images (B, H, W, C) in [0, 1].

    Raises:
        ValueError: if there is no width, or the sides cannot be halved often enough.
    """
    if not len(widths):
        raise ValueError(f"widths is {widths!r}; there must be at least one")
    arguments.check_halvings("image_shape", image_shape, len(widths), f"{len(widths)} widths")
    height, width, channels = image_shape
    scale = 2 ** len(widths)
    height, width = height // scale, width // scale
    blocks = [
        keras.Input((latent_size,)),
        layers.Dense(height * width * widths[0], use_bias=False),
        _normalisation(),
        layers.ReLU(),
        layers.Reshape((height, width, widths[0])),
    ]
    for filters in widths[1:]:
        blocks += [
            # Kernel 4 is a multiple of stride 2: every pixel gets as many contributions, so no
            # chequerboard is built in.
            layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False),
            _normalisation(),
            layers.ReLU(),
        ]
    blocks.append(
        layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="sigmoid")
    )
    return keras.Sequential(blocks, name="generator")


def build_discriminator(image_shape=(28, 28, 1), widths=(32, 48), hidden=128):
    """A convolutional discriminator after DCGAN: images (B, H, W, C) → logits (B, 1).

    Unlike DCGAN's it has no batch normalisation, which would let the verdict on one image depend
    on the rest of its batch, and it has a hidden dense layer.

    Args:
        image_shape: (H, W, C) of the images.
        widths: channels of the maps; each convolution halves the sides.
        hidden: units of the dense layer before the logit.

    Returns:
        keras.Model from images (B, H, W, C) to logits (B, 1).
    """
    blocks = _look(image_shape, widths, hidden)
    return keras.Sequential([*blocks, layers.Dense(1)], name="discriminator")


def build_conditional_generator(
    latent_size=64, num_classes=10, image_shape=(28, 28, 1), widths=(48, 32)
):
    """A `build_generator` that is told what to draw.

    Each class has a learned vector of latent_size numbers, which is put beside the noise.

    Args:
        latent_size, image_shape, widths: see `build_generator`.
        num_classes: number of classes.

    Returns:
        keras.Model from [noise (B, latent_size), labels (B,)] to images (B, H, W, C) in [0, 1].
    """
    noise, label = keras.Input((latent_size,)), keras.Input((), dtype="int32")
    told = layers.Embedding(num_classes, latent_size)(label)
    draw = build_generator(2 * latent_size, image_shape, widths)
    images = draw(layers.Concatenate()([noise, told]))
    return keras.Model([noise, label], images, name="conditional_generator")


def build_projection_discriminator(
    image_shape=(28, 28, 1), num_classes=10, widths=(32, 48), hidden=128
):
    """A discriminator of images and labels (Miyato and Koyama, 2018).

    Its logit is ψ(φ(x)) + ⟨e_y, φ(x)⟩: one term asks whether the image is real, the other whether
    its features φ(x) lie in the direction e_y of its label.

    Args:
        image_shape, widths, hidden: see `build_discriminator`.
        num_classes: number of classes.

    Returns:
        keras.Model from [images (B, H, W, C), labels (B,)] to logits (B, 1).
    """
    look = keras.Sequential(_look(image_shape, widths, hidden), name="features")
    image, label = keras.Input(image_shape), keras.Input((), dtype="int32")
    features = look(image)
    direction = layers.Embedding(num_classes, hidden)(label)
    fit = layers.Dot(axes=1)([direction, features])
    logit = layers.Add()([layers.Dense(1)(features), fit])
    return keras.Model([image, label], logit, name="projection_discriminator")


class GAN(keras.Model):
    """A generator and a discriminator that are trained against each other by `fit`.

    Calling the model turns noise (B, latent) into images by the averaged generator, whose weights
    are an exponential moving average of the generator's.

    Args:
        generator: model from noise (B, latent) to images (B, H, W, C).
        discriminator: model from images (B, H, W, C) to logits (B, 1).
        smoothing: see `discriminator_loss`.
        augment: layer applied to every image that the discriminator sees, real or generated; the
            generator's gradient passes through it (Zhao et al., 2020). None for no augmentation.
        average_decay: the share of the average that one step leaves in place, in [0, 1).

    Raises:
        ValueError: if the generator's images do not fit the discriminator, or the smoothing or the
            decay is not in [0, 1).
    """

    def __init__(
        self, generator, discriminator, smoothing=0.0, augment=None, average_decay=0.99, **kwargs
    ):
        super().__init__(**kwargs)
        # Where a network also takes labels, they come second.
        made, taken = generator.output_shape[1:], tree.flatten(discriminator.inputs)[0].shape[1:]
        if made != taken:
            raise ValueError(
                f"generator makes images of shape {made} and discriminator takes {taken}; the two "
                f"must be the same"
            )
        arguments.check_in("[0, 1)", average_decay=average_decay)
        arguments.check_in("[0, 1)", smoothing=smoothing)
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = averaged_copy(generator)
        self.augment = augment or layers.Identity()
        self.smoothing = smoothing
        self.average_decay = average_decay
        self.seed_generator = keras.random.SeedGenerator()
        self.trackers = [
            keras.metrics.Mean(name="discriminator_loss"),
            keras.metrics.Mean(name="generator_loss"),
        ]
        self.built = True

    def compile(self, generator_optimizer, discriminator_optimizer, **kwargs):
        """Takes one optimiser for each player, so that their rates can differ.

        Raises:
            ValueError: if both players are given the same optimiser, whose memory fits only one.
        """
        if generator_optimizer is discriminator_optimizer:
            raise ValueError(
                "generator_optimizer and discriminator_optimizer are one object; each player needs "
                "an optimiser of its own"
            )
        super().compile(optimizer=None, **kwargs)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        # Built here, the optimisers create no variables inside the first step, and TensorFlow
        # need not trace that step twice.
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    @property
    def metrics(self):
        return self.trackers

    def call(self, noise):
        return self.averaged_generator(noise, training=False)

    def noise(self, count):
        """Draws noise (count, latent) from a standard normal."""
        shape = (count, self.generator.inputs[0].shape[-1])
        return keras.random.normal(shape, seed=self.seed_generator)

    def judge(self, images, *labels):
        """Returns the discriminator's logits of augmented images, told their labels if any."""
        images = self.augment(images, training=True)
        return self.discriminator([images, *labels] if labels else images, training=True)

    def train_step(self, real):
        noise = self.noise(ops.shape(real)[0])
        # Both players move at once, from the same generated images: one pass serves both losses.
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(noise, training=True)
            real_logits, fake_logits = self.judge(real), self.judge(fake)
            losses = (
                discriminator_loss(real_logits, fake_logits, self.smoothing),
                generator_loss(fake_logits),
            )
        self.move(self.discriminator, self.discriminator_optimizer, losses[0], tape)
        self.move(self.generator, self.generator_optimizer, losses[1], tape)
        return self.end_step(losses)

    def end_step(self, values):
        """Lets the average follow, and reports the values of the step by name."""
        self.average()
        for tracker, value in zip(self.trackers, values, strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def move(self, player, optimizer, loss, tape):
        """Moves one player's own weights, and no others, down the gradient of its loss."""
        variables = player.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)

    def average(self):
        """Moves the averaged generator a little towards the generator."""
        step = self.generator_optimizer.iterations
        follow(self.averaged_generator, self.generator, self.average_decay, step)


class ConditionalGAN(GAN):
    """A `GAN` whose two players are told a label (Mirza and Osindero, 2014).

    `fit` takes images and their labels (n,), whole numbers from 0; a drawing gets the label of a
    real image of its batch.
    Calling the model turns [noise (B, latent), labels (B,)] into images.

    Args:
        generator: model such as `build_conditional_generator` makes.
        discriminator: model such as `build_projection_discriminator` makes.
        smoothing, augment, average_decay: see `GAN`.
    """

    def train_step(self, data):
        real, labels = data
        noise = self.noise(ops.shape(real)[0])
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator([noise, labels], training=True)
            real_logits, fake_logits = self.judge(real, labels), self.judge(fake, labels)
            losses = (
                discriminator_loss(real_logits, fake_logits, self.smoothing),
                generator_loss(fake_logits),
            )
        self.move(self.discriminator, self.discriminator_optimizer, losses[0], tape)
        self.move(self.generator, self.generator_optimizer, losses[1], tape)
        return self.end_step(losses)


class WassersteinGAN(GAN):
    """A `GAN` whose discriminator is a critic: its scores have no bound, their gap is a distance.

    Without a limit on its slope a critic could make the gap as large as it likes. WGAN (Arjovsky
    et al., 2017) clips its weights; WGAN-GP (Gulrajani et al., 2017) penalises slopes other than 1.

    `fit` reports `distance`, the critic's mean score of real images less that of generated ones,
    and `penalty`, before it is weighted.

    Args:
        generator, discriminator, augment, average_decay: see `GAN`; the discriminator is the
            critic and must judge each image by itself: no batch normalisation.
        critic_steps: moves of the critic, each against new drawings, for one of the generator.
        penalty_weight: λ, the weight of `gradient_penalty` in the critic's loss; 0 for none.
        clip: bound on the size of each of the critic's weights; None for no bound.

    Raises:
        ValueError: as `GAN`; or if the number of steps is below 1, the weight is negative, or the
            bound is not positive.
    """

    def __init__(
        self, generator, discriminator, critic_steps=5, penalty_weight=10.0, clip=None, **kwargs
    ):
        super().__init__(generator, discriminator, **kwargs)
        arguments.check_whole_number("critic_steps", critic_steps, 1)
        arguments.check_in("[0, ∞)", penalty_weight=penalty_weight)
        if clip is not None:
            arguments.check_in("(0, ∞)", clip=clip)
        self.critic_steps = critic_steps
        self.penalty_weight = penalty_weight
        self.clip = clip
        self.trackers = [keras.metrics.Mean(name="distance"), keras.metrics.Mean(name="penalty")]

    def train_step(self, real):
        count = ops.shape(real)[0]
        for _ in range(self.critic_steps):
            fake = self.generator(self.noise(count), training=True)
            with tf.GradientTape() as tape:
                distance = ops.mean(self.judge(real)) - ops.mean(self.judge(fake))
                penalty = self.penalty(real, fake)
                loss = self.penalty_weight * penalty - distance
            self.move(self.discriminator, self.discriminator_optimizer, loss, tape)
            self.clip_weights()
        noise = self.noise(count)
        with tf.GradientTape() as tape:
            loss = -ops.mean(self.judge(self.generator(noise, training=True)))
        self.move(self.generator, self.generator_optimizer, loss, tape)
        return self.end_step((distance, penalty))

    def penalty(self, real, fake):
        """Returns the `gradient_penalty` of the critic, 0 where it is not wanted."""
        if not self.penalty_weight:
            return 0.0
        return gradient_penalty(self.judge, real, fake, self.seed_generator)

    def clip_weights(self):
        """Puts the critic's weights back between −clip and clip."""
        if self.clip is not None:
            for weight in self.discriminator.trainable_variables:
                weight.assign(ops.clip(weight, -self.clip, self.clip))


def build_dcgan(
    latent_size=64, image_shape=(28, 28, 1), widths=(48, 32), hidden=128, shift=0.08, smoothing=0.0
):
    """A convolutional `GAN` whose discriminator sees every image moved a little.

    Args:
        latent_size, image_shape, widths: see `build_generator`; the discriminator has the widths
            in reverse order.
        hidden: see `build_discriminator`.
        shift: the largest move, as a share of height and width; 0 for none.
        smoothing: see `discriminator_loss`.

    Raises:
        ValueError: if shift is not in [0, 1), or as `build_generator` and `GAN`.
    """
    arguments.check_in("[0, 1)", shift=shift)
    return GAN(
        build_generator(latent_size, image_shape, widths),
        build_discriminator(image_shape, widths[::-1], hidden),
        smoothing=smoothing,
        augment=layers.RandomTranslation(shift, shift, fill_mode="constant") if shift else None,
    )


def build_conditional_gan(
    latent_size=64, num_classes=10, image_shape=(28, 28, 1), widths=(48, 32), hidden=128
):
    """A convolutional `ConditionalGAN` with a projection discriminator.

    Args:
        latent_size, image_shape, widths, hidden: see `build_dcgan`.
        num_classes: number of classes; labels are from 0 to num_classes − 1.
    """
    return ConditionalGAN(
        build_conditional_generator(latent_size, num_classes, image_shape, widths),
        build_projection_discriminator(image_shape, num_classes, widths[::-1], hidden),
    )


def build_wasserstein_gan(
    latent_size=64, image_shape=(28, 28, 1), widths=(48, 32), hidden=128, critic_steps=1
):
    """A convolutional `WassersteinGAN` with the gradient penalty.

    Args:
        latent_size, image_shape, widths, hidden: see `build_dcgan`.
        critic_steps: see `WassersteinGAN`; the paper takes 5.
    """
    return WassersteinGAN(
        build_generator(latent_size, image_shape, widths),
        build_discriminator(image_shape, widths[::-1], hidden),
        critic_steps=critic_steps,
    )


def adam_pair(generator_rate, discriminator_rate, beta_1=0.5, beta_2=0.999):
    """One Adam for each player, with the short memory β₁ = 0.5 of Radford et al. (2016).

    Gulrajani et al. (2017) train a critic with β₁ = 0, β₂ = 0.9: no memory of the direction.

    Args:
        generator_rate, discriminator_rate: learning rate of each player.
        beta_1, beta_2: memories of both, see `keras.optimizers.Adam`.

    Returns:
        (generator_optimizer, discriminator_optimizer), as `GAN.compile` takes them.
    """
    return tuple(
        keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)
        for rate in (generator_rate, discriminator_rate)
    )


class Snapshots(keras.callbacks.Callback):
    """Keeps what a `GAN` draws, and how its discriminator scores images, after every epoch.

    Attributes, each with one entry before training and one after every epoch:
        samples: list of arrays (B, H, W, C) by the averaged generator from the same noise.
        scores: dict from name to list of the discriminator's mean logit on those images.

    Args:
        noise: array (B, latent).
        images: dict from name to images (n, H, W, C).
    """

    def __init__(self, noise, images=None):
        super().__init__()
        self.noise = noise
        self.images = images or {}
        self.samples = []
        self.scores = {name: [] for name in self.images}

    def on_train_begin(self, logs=None):
        if not self.samples:
            self.on_epoch_end(-1)

    def on_epoch_end(self, epoch, logs=None):
        self.samples.append(ops.convert_to_numpy(self.model(self.noise)))
        for name, images in self.images.items():
            logits = self.model.discriminator(images, training=False)
            self.scores[name].append(float(ops.mean(logits)))


def build_classifier(input_shape=(28, 28, 1), num_classes=10, widths=(8, 16, 32), features=64):
    """A small image classifier whose layer `features` is what a Fréchet distance compares.

    Args:
        input_shape: (H, W, C) of the images, in [0, 1].
        num_classes: number of logits.
        widths: channels of the convolutions; the map is halved between them.
        features: units of the layer `features`.

    Returns:
        keras.Model from images (B, H, W, C) to logits (B, num_classes).
    """
    x = inputs = keras.Input(input_shape)
    for i, filters in enumerate(widths):
        if i:
            x = layers.MaxPooling2D()(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(_normalisation()(x))
    x = layers.Dense(features, activation="relu", name="features")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(num_classes)(layers.Dropout(0.3)(x)))


def train_classifier(classifier, images, labels, epochs, batch_size=32, callbacks=None):
    """Trains a classifier of logits by Adam, its rate falling to 0 along half a cosine."""
    train_with_cosine(
        classifier,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        images,
        labels,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=2e-3,
        metrics=["accuracy"],
        callbacks=callbacks,
    )


def build_reader(classifier):
    """Turns a classifier of `build_classifier` into what the scores of generated images need.

    Returns:
        keras.Model from images (B, H, W, C) to [features (B, d), probabilities (B, classes)].
    """
    features = classifier.get_layer("features").output
    return keras.Model(classifier.input, [features, layers.Softmax()(classifier.output)])


def build_inception_reader(image_shape, weights="imagenet"):
    """Inception v3 for the Fréchet and Inception scores, with its scaling of images inside.

    Images are enlarged to 299 × 299 pixels, grey ones are given three channels, and [0, 1] becomes
    the [−1, 1] that the network was trained on.

    Papers score with other weights of this network, TensorFlow's file of 2015, so a score found
    here can be compared with others found here, and with no printed one.

    Args:
        image_shape: (H, W, 1) or (H, W, 3).
        weights: "imagenet" downloads the published weights once; None leaves them random.

    Returns:
        keras.Model from images (B, H, W, C) in [0, 1] to [features (B, 2048), probabilities
        (B, 1000)].

    Raises:
        ValueError: if the images have neither one channel nor three.
    """
    if image_shape[-1] not in (1, 3):
        raise ValueError(f"image_shape is {tuple(image_shape)}; it must have 1 or 3 channels")
    x = inputs = keras.Input(image_shape)
    x = layers.Resizing(299, 299)(x)
    if image_shape[-1] == 1:
        x = layers.Concatenate()([x, x, x])
    x = layers.Rescaling(2.0, offset=-1.0)(x)
    network = keras.applications.InceptionV3(weights=weights)
    both = keras.Model(network.input, [network.get_layer("avg_pool").output, network.output])
    # Resizing would put whatever follows it into training mode where nothing is said.
    return keras.Model(inputs, both(x, training=False), name="inception_reader")


class Judge:
    """Scores generated images in five ways.

    Calling it with images, and with the labels that were asked for if there are any, returns a
    dict: `Fréchet` distance to the real images, `Inception` score (one part), the share `read as
    asked` (NaN without labels), mean distance to the `nearest` training image, and `spread`, the
    mean distance of two images that are read as the same class. The last two are Euclidean
    distances over all pixels.

    Args:
        reader: model such as `build_reader` makes.
        real: images (n, H, W, C) to compare with, which no generator has learned from.
        train: images (m, H, W, C) that the generators learn from.
        scorer: another such model, such as `build_inception_reader` makes, for the Fréchet
            distance and the Inception score; None for the reader.

    Raises:
        ValueError: on the call, if there is not one label an image.
    """

    def __init__(self, reader, real, train, scorer=None):
        self.reader = reader
        self.scorer = scorer or reader
        self.train = train
        self.real_features = self.features(real)

    def features(self, images):
        """Returns the features that the Fréchet distance compares."""
        return self.scorer.predict(images, verbose=0)[0]

    def __call__(self, images, labels=None):
        if labels is not None and np.shape(labels) != (len(images),):
            raise ValueError(
                f"labels has shape {np.shape(labels)}; there must be one for each of the "
                f"{len(images)} images"
            )
        features, probabilities = self.scorer.predict(images, verbose=0)
        read = probabilities
        if self.scorer is not self.reader:
            read = self.reader.predict(images, verbose=0)[1]
        read = read.argmax(axis=1)
        return {
            "Fréchet": metrics.frechet_distance(self.real_features, features),
            "Inception": metrics.inception_score(probabilities, splits=1)[0],
            "read as asked": np.nan if labels is None else float(np.mean(read == labels)),
            "nearest": float(np.mean(metrics.nearest_distances(images, self.train))),
            "spread": metrics.class_spread(images, read),
        }


def weight_change(before, after):
    """The length of the step between two lists of weights, as `model.get_weights()` gives them.

    Returns:
        The Euclidean norm of all differences together: 0 exactly if no weight has moved.

    Raises:
        ValueError: if the two lists are not of the same length, or two weights of the same place
            differ in shape.
    """
    if len(before) != len(after):
        raise ValueError(f"before has {len(before)} weights and after {len(after)}; need as many")
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        if np.shape(old) != np.shape(new):
            raise ValueError(
                f"before[{i}] has shape {np.shape(old)} and after[{i}] {np.shape(new)}; "
                "both must be weights of the same model"
            )
    return float(np.sqrt(sum(np.sum((b - a) ** 2) for a, b in zip(before, after, strict=True))))


def gradient_norm(loss, generator, discriminator, noise):
    """The length of a generator loss's gradient in the generator's weights.

    Args:
        loss: function from logits (B, 1) to a scalar, such as `generator_loss`.
        generator, discriminator: the two players; neither is changed.
        noise: array (B, latent).

    Returns:
        A float: the Euclidean norm over all trainable weights together.
    """
    variables = generator.trainable_variables
    with tf.GradientTape() as tape:
        # Inference mode: in training mode batch normalisation would update its averages.
        value = loss(discriminator(generator(noise, training=False), training=False))
    return float(tf.linalg.global_norm(tape.gradient(value, variables)))


def _look(image_shape, widths, hidden):
    """Returns the layers of a discriminator before its logit."""
    blocks = [keras.Input(image_shape)]
    for filters in widths:
        blocks += [
            layers.Conv2D(filters, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
        ]
    return [*blocks, layers.Flatten(), layers.Dense(hidden), layers.LeakyReLU(negative_slope=0.2)]


def _normalisation():
    # Keras' momentum of 0.99 needs hundreds of steps before the moving averages mean anything.
    return layers.BatchNormalization(momentum=0.9)


def _densities(p_data, p_generator):
    p_data, p_generator = np.asarray(p_data, "float64"), np.asarray(p_generator, "float64")
    if p_data.shape != p_generator.shape:
        raise ValueError(
            f"p_data has shape {p_data.shape} and p_generator {p_generator.shape}; "
            "both must be given at the same points"
        )
    for name, values in (("p_data", p_data), ("p_generator", p_generator)):
        if not (np.all(values >= 0) and np.all(np.isfinite(values))):
            raise ValueError(f"{name} must be finite and at least 0 everywhere")
    return p_data, p_generator
