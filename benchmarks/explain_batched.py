"""How much faster the batched explanations are than one image, or one step, at a time.

The loop is what most notebooks have: a `GradientTape` for one image, not compiled. A second loop is
compiled, and still takes one image at a time. All explain the same photographs with the same
network, in turns within one run, so that a busy machine slows all. Told as ratios of seconds. Run:
python benchmarks/explain_batched.py
"""

import statistics
import time

from helpers import data, explain, pretrained

import keras
import numpy as np
import tensorflow as tf

STEPS = 16
ROUNDS = 3
NAMES = ("cat", "coffee", "camera", "china", "rocket", "flower", "clock", "stereo_motorcycle")


def main():
    """Measures both methods and prints one row for each."""
    model = pretrained.efficientnet_lite0()
    images = pretrained.preprocess([data.photo(name) for name in NAMES])
    classes = explain.logits(model, images).argmax(axis=1)
    black = np.full_like(images[0], -127 / 128)
    gradient = compiled_gradient(model)

    def integrated():
        explain.integrated_gradients(model, images[:1], classes[0], black, STEPS)

    def integrated_in_a_loop():
        explain.integrated_gradients_in_a_loop(model, images[:1], classes[0], black, STEPS)

    def integrated_in_a_compiled_loop():
        for alpha in explain.path_points(STEPS)[0]:
            between = black + alpha * (images[:1] - black)
            gradient(tf.constant(between, tf.float32), int(classes[0]))

    def cams():
        explain.grad_cam(model, images, "head_relu", classes)

    def cams_in_a_loop():
        for image, index in zip(images, classes, strict=True):
            cam_of_one(model, image[None], "head_relu", index)

    print("method                 batched s   loop s  ratio  compiled loop s  ratio")
    batched, loop, compiled = seconds(
        (integrated, integrated_in_a_loop, integrated_in_a_compiled_loop)
    )
    print(
        f"Integrated Gradients {batched:11.2f} {loop:8.2f} {loop / batched:6.1f} {compiled:16.2f} "
        f"{compiled / batched:6.1f}"
    )
    batched, loop = seconds((cams, cams_in_a_loop))
    print(f"Grad-CAM             {batched:11.2f} {loop:8.2f} {loop / batched:6.1f}")


def compiled_gradient(model):
    """Returns a compiled function that takes one image and the class to explain."""

    @tf.function(reduce_retracing=True)
    def gradient(image, index):
        with tf.GradientTape() as tape:
            tape.watch(image)
            score = model(image)[0, index]
        return tape.gradient(score, image)

    return lambda image, index: gradient(image, tf.constant(index))


def cam_of_one(model, image, layer_name, index):
    """Grad-CAM as most notebooks have it: a new model for each image, not compiled."""
    both = keras.Model(model.input, [model.get_layer(layer_name).output, model.output])
    with tf.GradientTape() as tape:
        features, logits = both(image)
        score = logits[0, index]
    weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2))
    cam = np.maximum(np.einsum("bhwk,bk->bhw", features, weights), 0)[0]
    return cam / max(cam.max(), 1e-12)


def seconds(contestants):
    """Returns the median seconds of each contestant over ROUNDS turns, after one to warm up."""
    for contestant in contestants:
        contestant()
    taken = [[] for _ in contestants]
    for _ in range(ROUNDS):
        for mine, contestant in zip(taken, contestants, strict=True):
            start = time.perf_counter()
            contestant()
            mine.append(time.perf_counter() - start)
    return [statistics.median(mine) for mine in taken]


if __name__ == "__main__":
    main()
