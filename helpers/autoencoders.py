"""Autoencoders, and variational autoencoders (Kingma and Welling, 2014).

Images are in [0, 1], channels last. An encoder turns images (B, H, W, C) into codes (B, d), a
decoder turns codes into images.
"""

from helpers.arguments import check_halvings, check_in, check_positive, check_whole_number
from helpers.fitting import compile_with_cosine

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy.special import logit, logsumexp


def build_dense_encoder(code_size, image_shape=(28, 28, 1), widths=(256, 128)):
    """An encoder of dense layers: images (B, H, W, C) → codes (B, code_size).

    Args:
        code_size: length of the code.
        image_shape: (H, W, C) of the images.
        widths: units of the hidden layers.
    """
    check_positive(code_size=code_size)
    blocks = [keras.Input(image_shape), layers.Flatten()]
    blocks += [layers.Dense(width, activation="relu") for width in widths]
    return keras.Sequential([*blocks, layers.Dense(code_size)], name="encoder")


def build_dense_decoder(
    code_size, image_shape=(28, 28, 1), widths=(128, 256), activation="sigmoid"
):
    """A decoder of dense layers: codes (B, code_size) → images (B, H, W, C).

    Args:
        code_size: length of the code.
        image_shape: (H, W, C) of the images.
        widths: units of the hidden layers.
        activation: of the last layer; None for logits.
    """
    check_positive(code_size=code_size)
    blocks = [keras.Input((code_size,))]
    blocks += [layers.Dense(width, activation="relu") for width in widths]
    blocks += [layers.Dense(int(np.prod(image_shape)), activation=activation)]
    return keras.Sequential([*blocks, layers.Reshape(image_shape)], name="decoder")


def build_convolutional_encoder(code_size, image_shape=(28, 28, 1), widths=(32, 64), hidden=128):
    """An encoder of convolutions, each of which halves the sides, and two dense layers.

    It turns images (B, H, W, C) into codes (B, code_size); an odd side is rounded up.

    Args:
        code_size: length of the code.
        image_shape: (H, W, C) of the images.
        widths: channels of the convolutions.
        hidden: units of the dense layer before the code.
    """
    check_positive(code_size=code_size)
    blocks = [keras.Input(image_shape)]
    for filters in widths:
        blocks += [layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")]
    blocks += [layers.Flatten(), layers.Dense(hidden, activation="relu")]
    return keras.Sequential([*blocks, layers.Dense(code_size)], name="encoder")


def build_convolutional_decoder(
    code_size, image_shape=(28, 28, 1), widths=(64, 32), hidden=128, activation="sigmoid"
):
    """A decoder of two dense layers and transposed convolutions, each of which doubles the sides.

    It turns codes (B, code_size) into images (B, H, W, C).

    Args:
        code_size: length of the code.
        image_shape: (H, W, C) of the images; H and W must be multiples of 2^len(widths).
        widths: channels of the maps, from the smallest map to the largest.
        hidden: units of the dense layer after the code.
        activation: of the last layer; None for logits.

    Raises:
        ValueError: if the sides cannot be halved often enough.
    """
    check_positive(code_size=code_size)
    check_halvings("image_shape", image_shape, len(widths), f"{len(widths)} widths")
    height, width, channels = image_shape
    scale = 2 ** len(widths)
    small = (height // scale, width // scale, widths[0])
    blocks = [keras.Input((code_size,)), layers.Dense(hidden, activation="relu")]
    blocks += [layers.Dense(int(np.prod(small)), activation="relu"), layers.Reshape(small)]
    for filters in widths[1:]:
        # Kernel 4 is a multiple of stride 2: every pixel gets as many contributions.
        blocks += [layers.Conv2DTranspose(filters, 4, strides=2, padding="same", activation="relu")]
    blocks += [
        layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation=activation)
    ]
    return keras.Sequential(blocks, name="decoder")


def build_autoencoder(encoder, decoder):
    """Joins the two halves: images (B, H, W, C) → reconstructions of the same shape.

    Raises:
        ValueError: if the code of the one does not fit the other, or the images differ in shape.
    """
    if encoder.output_shape[1:] != decoder.input_shape[1:]:
        raise ValueError(
            f"encoder makes codes of shape {encoder.output_shape[1:]} and decoder takes "
            f"{decoder.input_shape[1:]}; the two must be the same"
        )
    _check_images(encoder, decoder)
    return keras.Sequential([keras.Input(encoder.input_shape[1:]), encoder, decoder])


def build_linear_autoencoder(code_size, image_shape=(28, 28, 1)):
    """An autoencoder of two dense layers without activation: the one that PCA solves.

    Args:
        code_size: length of the code.
        image_shape: (H, W, C) of the images.
    """
    return build_autoencoder(
        build_dense_encoder(code_size, image_shape, widths=()),
        build_dense_decoder(code_size, image_shape, widths=(), activation=None),
    )


def build_denoiser(image_shape=(28, 28, 1), widths=(24, 48)):
    """A convolutional autoencoder with one skip connection: noisy images → clean images.

    The skip carries the full-size map round the bottleneck, so the small map need not store where
    every edge was.

    Args:
        image_shape: (H, W, C) of the images; H and W must be even.
        widths: channels of the full-size and of the half-size map.

    Raises:
        ValueError: if a side of the images is odd.
    """
    height, width, channels = image_shape
    if height % 2 or width % 2:
        raise ValueError(f"image_shape is {image_shape}; its sides must be even")
    convolution = {"kernel_size": 3, "padding": "same", "activation": "relu"}
    inputs = keras.Input(image_shape)
    full = layers.Conv2D(widths[0], **convolution)(inputs)
    half = layers.Conv2D(widths[1], strides=2, **convolution)(full)
    half = layers.Conv2D(widths[1], **convolution)(half)
    up = layers.Conv2DTranspose(widths[0], 4, strides=2, padding="same", activation="relu")(half)
    both = layers.Concatenate()([full, up])
    outputs = layers.Conv2D(channels, 3, padding="same", activation="sigmoid")(both)
    return keras.Model(inputs, outputs, name="denoiser")


def start_at_the_mean(decoder, images):
    """Sets the last bias of a decoder of logits to the brightness of the images.

    Training then need not begin with large steps that only learn how dark images are; with a high
    rate these can switch off parts of the network for good.

    Args:
        decoder: model whose last layer with weights gives the logits.
        images: array (n, H, W, C) in [0, 1].
    """
    brightness = np.clip(np.mean(images), 1e-3, 1 - 1e-3)
    last = [layer for layer in decoder.layers if layer.weights][-1]
    last.bias.assign(np.full(last.bias.shape, logit(brightness)))


def train(model, pairs, epochs, rate=2e-3, loss="binary_crossentropy", callbacks=None):
    """Compiles a model by `fitting.compile_with_cosine` and trains it on batches.

    Args:
        model: keras.Model.
        pairs: tf.data.Dataset of batches (input, target), of known length.
        epochs: passes over the pairs.
        rate: the learning rate of the first step.
        loss: see `keras.Model.compile`.
        callbacks: see `keras.Model.fit`.

    Returns:
        List of the epochs' losses.
    """
    compile_with_cosine(model, loss, rate, epochs * len(pairs))
    # The pairs come shuffled; Keras would warn that it cannot do it again.
    options = {"shuffle": False, "verbose": 0, "callbacks": callbacks}
    return model.fit(pairs, epochs=epochs, **options).history["loss"]


def squared_errors(images, reconstructions):
    """Mean squared error of each image: two arrays (n, H, W, C) → array (n,).

    Raises:
        ValueError: if the shapes differ.
    """
    images, reconstructions = np.asarray(images), np.asarray(reconstructions)
    if images.shape != reconstructions.shape:
        raise ValueError(
            f"images has shape {images.shape} and reconstructions {reconstructions.shape}; "
            f"the two must be the same"
        )
    return np.mean((images - reconstructions) ** 2, axis=tuple(range(1, images.ndim)))


def same_pairs(images, batch_size, seed):
    """Batches (image, the same image), in a new order in every epoch.

    Args:
        images: array (n, H, W, C).
        batch_size: images in a batch; the last batch may have fewer.
        seed: whole number of at least 0.

    Returns:
        tf.data.Dataset of pairs (B, H, W, C).
    """
    return _shuffled(images, batch_size, seed).map(lambda x: (x, x))


def noisy_pairs(images, deviation, batch_size, seed):
    """Batches (noisy image, clean image), with fresh noise in every epoch.

    Args:
        images: array (n, H, W, C) of floating-point numbers.
        deviation: standard deviation of the Gaussian noise, which is not clipped.
        batch_size: images in a batch; the last batch may have fewer.
        seed: whole number of at least 0.

    Returns:
        tf.data.Dataset of pairs (B, H, W, C).

    Raises:
        ValueError: if deviation is negative or not finite.
    """
    check_in("[0, ∞)", deviation=deviation)
    generator = tf.random.Generator.from_seed(seed)

    def add(x):
        return x + deviation * generator.normal(tf.shape(x), dtype=x.dtype), x

    return _shuffled(images, batch_size, seed).map(add)


def kl_divergence(mean, log_var):
    """KL divergence of N(mean, diag exp(log_var)) from the standard normal, in nats.

    Kingma and Welling (2014), appendix B: ½ Σ (σ² + μ² − 1 − log σ²).

    Args:
        mean, log_var: arrays (..., d); log_var is the logarithm of the variance σ².

    Returns:
        Array (...): summed over the d latent dimensions, one number for each sample.

    Raises:
        ValueError: if the shapes differ.
    """
    if tuple(mean.shape) != tuple(log_var.shape):
        raise ValueError(
            f"mean has shape {tuple(mean.shape)} and log_var {tuple(log_var.shape)}; "
            f"the two must be the same"
        )
    return ops.sum(ops.exp(log_var) + ops.square(mean) - 1 - log_var, axis=-1) / 2


def reparameterise(mean, log_var, noise):
    """Draws from N(mean, diag exp(log_var)): z = μ + σ ε, with standard normal noise ε.

    The randomness comes from outside, so the gradient reaches mean and log_var.

    Args:
        mean, log_var: arrays (..., d); log_var is the logarithm of the variance σ².
        noise: array with a draw of its own for every number of every code; mean and log_var are
            broadcast to its shape.

    Returns:
        Array of the shape of noise.
    """
    return mean + ops.exp(log_var / 2) * noise


def bernoulli_cross_entropy(images, logits):
    """−log p(x | z) in nats per image: the cross-entropies of all its pixels, added.

    Args:
        images: array (..., H, W, C) in [0, 1]; grey pixels count as probabilities.
        logits: array (..., H, W, C), a decoder's output before the logistic function. The axes
            before the last three are broadcast.

    Returns:
        Array (...).

    Raises:
        ValueError: if the images differ in shape.
    """
    if tuple(images.shape[-3:]) != tuple(logits.shape[-3:]):
        raise ValueError(
            f"images has shape {tuple(images.shape)} and logits {tuple(logits.shape)}; "
            f"the last three axes, (H, W, C), must be the same"
        )
    # −x log σ(a) − (1 − x) log(1 − σ(a)) = softplus(a) − x a, which never overflows.
    return ops.sum(ops.softplus(logits) - images * logits, axis=(-3, -2, -1))


class VariationalAutoencoder(keras.Model):
    """An encoder and a decoder trained together by the evidence lower bound (ELBO).

    Calling the model reconstructs images from the mean of their codes.

    Args:
        encoder: model from images (B, H, W, C) to (B, 2d): mean and log-variance of the code.
        decoder: model from codes (B, d) to logits (B, H, W, C), so built with `activation=None`.
        beta: weight of the KL divergence; 1 makes the loss the negative ELBO in nats per image,
            another value that of a β-VAE (Higgins et al., 2017).

    Raises:
        ValueError: if encoder and decoder do not fit each other, the decoder ends in a logistic
            function, or beta is negative.
    """

    def __init__(self, encoder, decoder, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        (size,) = decoder.input_shape[1:]
        if encoder.output_shape[1:] != (2 * size,):
            raise ValueError(
                f"encoder gives {encoder.output_shape[1:]} numbers and decoder takes codes of "
                f"length {size}; the encoder must give {2 * size}: mean and log-variance"
            )
        _check_images(encoder, decoder)
        last = [layer for layer in decoder.layers if layer.weights][-1]
        if getattr(last, "activation", None) is keras.activations.sigmoid:
            raise ValueError("decoder ends in a sigmoid; it must give logits: use activation=None")
        check_in("[0, ∞)", beta=beta)
        self.encoder = encoder
        self.decoder = decoder
        self.beta = beta
        self.latent_size = size
        self.seed_generator = keras.random.SeedGenerator()
        self.trackers = {
            name: keras.metrics.Mean(name=name) for name in ("loss", "elbo", "reconstruction", "kl")
        }
        self.built = True

    @property
    def metrics(self):
        return list(self.trackers.values())

    def encode(self, images):
        """Returns mean and log-variance of the codes, (B, d) each."""
        return ops.split(self.encoder(images), 2, axis=-1)

    def decode(self, codes):
        """Returns the images (B, H, W, C) in [0, 1] that the decoder makes of codes (B, d)."""
        return ops.sigmoid(self.decoder(codes))

    def call(self, images):
        return self.decode(self.encode(images)[0])

    def sample(self, count, seed=None):
        """Draws codes from the standard normal and decodes them: images (count, H, W, C).

        Args:
            count: how many images.
            seed: a whole number gives the same images at every call; None gives new ones.
        """
        check_positive(count=count)
        shape = (count, self.latent_size)
        seed = self.seed_generator if seed is None else seed
        return self.decode(keras.random.normal(shape, seed=seed))

    def terms(self, images):
        """The two terms of the negative ELBO with one drawn code for each image, in nats.

        Args:
            images: array (B, H, W, C) in [0, 1].

        Returns:
            (−log p(x | z), KL), arrays (B,).
        """
        mean, log_var = self.encode(images)
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        logits = self.decoder(reparameterise(mean, log_var, noise))
        return bernoulli_cross_entropy(images, logits), kl_divergence(mean, log_var)

    def objective(self, reconstruction, kl):
        """What training makes small, from the two terms (B,) of `terms`: one number.

        With β = 1 it is the negative ELBO in nats per image.
        """
        return ops.mean(reconstruction + self.beta * kl)

    def train_step(self, images):
        with tf.GradientTape() as tape:
            reconstruction, kl = self.terms(images)
            loss = self.objective(reconstruction, kl)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return self.track(loss, reconstruction, kl)

    def test_step(self, images):
        reconstruction, kl = self.terms(images)
        return self.track(self.objective(reconstruction, kl), reconstruction, kl)

    def track(self, loss, reconstruction, kl):
        """Takes a batch into the epoch's averages and returns these by name."""
        values = (loss, -(reconstruction + kl), reconstruction, kl)
        for tracker, value in zip(self.trackers.values(), values, strict=True):
            tracker.update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def evidence_lower_bound(vae, images, samples=1, seed=0):
    """The two terms of the negative ELBO of each image, averaged over several drawn codes.

    Args:
        vae: `VariationalAutoencoder`.
        images: array (n, H, W, C).
        samples: codes for each image.
        seed: whole number of at least 0.

    Returns:
        (−E log p(x | z), KL), NumPy arrays (n,) in nats; minus their sum is the ELBO.

    Raises:
        ValueError: if samples or seed is no whole number, or too small.
    """
    log_likelihood, _, kl = _weigh(vae, images, samples, seed)
    return -log_likelihood.mean(axis=1), kl


def importance_weighted_bound(vae, images, samples=64, seed=0):
    """A tighter lower bound of log p(x) than the ELBO (Burda, Grosse and Salakhutdinov, 2016).

    It is log of the mean over k codes z ~ q(z | x) of p(x | z) p(z) / q(z | x). With k = 1 its
    expectation is the ELBO, and it rises to log p(x) as k grows.

    Args:
        vae: `VariationalAutoencoder`.
        images: array (n, H, W, C).
        samples: k, the codes for each image.
        seed: whole number of at least 0.

    Returns:
        NumPy array (n,), in nats.

    Raises:
        ValueError: if samples or seed is no whole number, or too small.
    """
    log_likelihood, log_ratio, _ = _weigh(vae, images, samples, seed)
    return logsumexp(log_likelihood + log_ratio, axis=1) - np.log(samples)


def _weigh(vae, images, samples, seed, codes_at_once=2_000):
    """Draws codes for each image.

    Returns:
        log p(x | z) and log p(z) − log q(z | x), (n, samples), and the closed KL, (n,).
    """
    check_positive(samples=samples)
    check_whole_number("seed", seed, 0)
    rng = np.random.default_rng(seed)
    parts = []
    count = min(len(images), -(-len(images) * samples // codes_at_once))
    for part in np.array_split(images, count):
        mean, log_var = (ops.convert_to_numpy(p)[:, None] for p in vae.encode(part))
        noise = rng.standard_normal((len(part), samples, vae.latent_size), dtype="float32")
        codes = ops.convert_to_numpy(reparameterise(mean, log_var, noise))
        logits = vae.decoder(codes.reshape(-1, vae.latent_size))
        logits = ops.reshape(logits, (len(part), samples, *part.shape[1:]))
        log_likelihood = -ops.convert_to_numpy(bernoulli_cross_entropy(part[:, None], logits))
        # log N(z; 0, I) − log N(z; μ, σ²): the constants cancel, and (z − μ) / σ is the noise.
        log_ratio = (np.square(noise) - np.square(codes) + log_var).sum(axis=-1) / 2
        kl = ops.convert_to_numpy(kl_divergence(mean, log_var))[:, 0]
        parts.append((log_likelihood, log_ratio, kl))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def _shuffled(images, batch_size, seed):
    check_positive(batch_size=batch_size)
    check_whole_number("seed", seed, 0)
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed)
    return batches.batch(batch_size)


def _check_images(encoder, decoder):
    if encoder.input_shape[1:] != decoder.output_shape[1:]:
        raise ValueError(
            f"encoder takes images of shape {encoder.input_shape[1:]} and decoder makes "
            f"{decoder.output_shape[1:]}; the two must be the same"
        )
