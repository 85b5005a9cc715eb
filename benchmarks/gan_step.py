"""How much faster the compiled `train_step` of `gans.GAN` is than the classic training loop.

Both train the same networks on the same digits, in turns within one run, so that a busy machine
slows both. Told as a ratio of steps per second. Run: python benchmarks/gan_step.py
"""

import statistics
import time

from helpers import data, gans

import keras
import numpy as np

LATENT = 64
STEPS = 20
ROUNDS = 5


def main():
    """Measures each batch size and prints one row for it."""
    (images, _), _ = data.digits()
    print("batch  compiled/s  predict loop/s  ratio  call loop/s  ratio")
    for batch_size in (16, 64, 128):
        contestants = (
            compiled_step(images, batch_size),
            classic_loop(images, batch_size, draw_by_predict),
            classic_loop(images, batch_size, draw_by_call),
        )
        compiled, predict, call = rates(contestants)
        print(
            f"{batch_size:5}  {compiled:10.1f}  {predict:14.1f}  {compiled / predict:5.1f}  "
            f"{call:11.1f}  {compiled / call:5.1f}"
        )


def compiled_step(images, batch_size):
    """Returns a function that makes STEPS steps of `gans.GAN`."""
    gan = gans.build_dcgan(LATENT, shift=0)
    gan.compile(*gans.adam_pair(1e-3, 1e-3))
    part = images[: STEPS * batch_size]
    epochs = -(-STEPS * batch_size // len(part))
    return lambda: gan.fit(part, batch_size=batch_size, epochs=epochs, verbose=0)


def classic_loop(images, batch_size, draw):
    """Returns a function that makes STEPS steps of the classic recipe.

    The discriminator is trained once before it is frozen, so that both contestants do the same
    work: without that Keras 3 would not train it at all.
    """
    generator, discriminator = gans.build_generator(LATENT), gans.build_discriminator()
    generator_optimizer, discriminator_optimizer = gans.adam_pair(1e-3, 1e-3)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile(discriminator_optimizer, loss)
    discriminator.train_on_batch(images[:batch_size], np.ones((batch_size, 1)))
    discriminator.trainable = False
    stack = keras.Sequential([generator, discriminator])
    stack.compile(generator_optimizer, loss)
    rng = np.random.default_rng(0)
    labels = np.repeat([[1.0], [0.0]], batch_size, axis=0)

    def steps():
        for _ in range(STEPS):
            noise = rng.normal(size=(batch_size, LATENT)).astype("float32")
            real = images[rng.choice(len(images), batch_size)]
            both = np.concatenate([real, draw(generator, noise)])
            discriminator.train_on_batch(both, labels)
            stack.train_on_batch(noise, labels[:batch_size])

    return steps


def draw_by_predict(generator, noise):
    """Draws as most tutorials do, with a whole prediction loop for one batch."""
    return generator.predict(noise, verbose=0)


def draw_by_call(generator, noise):
    """Draws by calling the model."""
    return generator(noise)


def rates(contestants):
    """Returns the median steps per second of each contestant over ROUNDS turns."""
    for contestant in contestants:
        contestant()
    seconds = [[] for _ in contestants]
    for _ in range(ROUNDS):
        for taken, contestant in zip(seconds, contestants, strict=True):
            start = time.perf_counter()
            contestant()
            taken.append(time.perf_counter() - start)
    return [STEPS / statistics.median(taken) for taken in seconds]


if __name__ == "__main__":
    main()
