"""Which pixels made a network say what it said: gradients, Grad-CAM, Integrated Gradients.

Every function takes a functional `keras.Model` that ends in logits, or in a softmax or sigmoid
that is passed by: what is explained is the logit of one class. `class_index` is one class for all
images, one for each image, or None for each image's own predicted class. Images are what the
model takes, (B, H, W, C). What does not fit is refused with a ValueError.
"""

import contextlib
import difflib
import functools

from helpers import plots
from helpers.arguments import check_in, check_positive, check_whole_number

import ipywidgets
import keras
import numpy as np
import tensorflow as tf
from IPython.display import display
from scipy import ndimage, stats
from scipy.special import expit, softmax

#: Images that go through the network at a time; more need more memory and are no faster.
CHUNK = 16


def input_gradients(model, images, class_index=None):
    """The gradient of each image's logit in its own pixels.

    Simonyan et al. (2014), "Deep Inside Convolutional Networks".

    Returns:
        float32 like images.
    """
    images, classes = _prepare(model, images, class_index)
    compiled = _compiled(model, "input", _build_input_gradient)
    return _in_chunks(compiled, images, classes)


def smooth_grad(model, images, class_index=None, samples=16, noise=0.15, seed=0):
    """The mean gradient over noisy copies of each image.

    Smilkov et al. (2017), "SmoothGrad: removing noise by adding noise".

    Args:
        samples: noisy copies of an image.
        noise: standard deviation, as a part of the range of the image's values; at least 0.
        seed: of the noise.

    Returns:
        float32 like images.
    """
    images, classes = _prepare(model, images, class_index)
    check_positive(samples=samples)
    check_whole_number("seed", seed, 0)
    check_in("[0, ∞)", noise=noise)
    spread = np.ptp(images, axis=(1, 2, 3)) * noise
    rng = np.random.default_rng(seed)
    compiled = _compiled(model, "input", _build_input_gradient)
    total = np.zeros_like(images)
    for places in _chunks(np.repeat(np.arange(len(images)), samples)):
        noisy = rng.normal(size=(len(places), *images.shape[1:])) * spread[places, None, None, None]
        gradients = compiled((images[places] + noisy).astype("float32"), classes[places])
        total += _sum_by_image(gradients.numpy(), places, 1 / samples, len(images))
    return total


def grad_cam(model, images, layer_name, class_index=None):
    """Where a layer saw what speaks for a class.

    Selvaraju et al. (2017), "Grad-CAM": channels are weighted by their mean gradient (equation 1),
    added up, and what speaks against the class is cut off (equation 2).

    Args:
        layer_name: a layer whose output is a feature map (B, h, w, channels).

    Returns:
        float32 (B, h, w) in [0, 1]; the largest value of a map is 1, or 0 if nothing speaks for
        the class.

    Raises:
        ValueError: if there is no such layer, or its output is no feature map.
    """
    features, gradients = layer_gradients(model, images, layer_name, class_index)
    weights = gradients.mean(axis=(1, 2))
    maps = np.maximum(np.einsum("bhwc,bc->bhw", features, weights), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)


def layer_gradients(model, images, layer_name, class_index=None):
    """A layer's output, and the gradient of each image's logit in it.

    Args:
        layer_name: a layer whose output is a feature map (B, h, w, channels).

    Returns:
        Two float32 arrays (B, h, w, channels).
    """
    _check_layer(model, layer_name)
    images, classes = _prepare(model, images, class_index)
    build = functools.partial(_build_layer_gradient, layer_name=layer_name)
    compiled = _compiled(model, f"layer {layer_name}", build)
    return _in_chunks(compiled, images, classes)


def guided_gradients(model, images, class_index=None):
    """The gradient in the pixels, in which each ReLU lets only positive gradients back.

    Springenberg et al. (2015), "Striving for Simplicity". The pictures are sharp, but see how
    little they depend on the class and on the last layers (Adebayo et al., 2018). ReLUs within a
    model that is a layer of this one stay as they are.

    Returns:
        float32 like images.
    """
    images, classes = _prepare(model, images, class_index)
    return _in_chunks(_compiled(model, "guided", _build_guided_gradient), images, classes)


def guided_grad_cam(model, images, layer_name, class_index=None):
    """Guided gradients where Grad-CAM is warm (Selvaraju et al., 2017, section 3.2).

    Args:
        layer_name: the layer for Grad-CAM.

    Returns:
        float32 like images.
    """
    images, classes = _prepare(model, images, class_index)
    maps = resize_maps(grad_cam(model, images, layer_name, classes), images.shape[1:3])
    return guided_gradients(model, images, classes) * maps[..., None]


def integrated_gradients(model, images, class_index=None, baseline=None, steps=64, power=3):
    """Shares the difference of two logits, image and baseline, out among the pixels.

    Sundararajan et al. (2017), "Axiomatic Attribution for Deep Networks", equation 1:
    (x − x′) ∫₀¹ ∂F(x′ + α (x − x′)) / ∂x dα. The integral is a sum over `path_points`.

    Args:
        baseline: what stands for "nothing": an image, or one for each image; zeros if None.
        steps: gradients on the path of each image.
        power: how closely the steps crowd near the baseline; 1 spaces them evenly.

    Returns:
        float32 like images; the sum over an image is near F(x) − F(x′): see `completeness_gap`.
    """
    images, classes = _prepare(model, images, class_index)
    baseline = _check_baseline(baseline, images)
    positions, weights = path_points(steps, power)
    mean = path_gradients(model, images, classes, baseline, positions, weights)
    return (images - baseline) * mean


def path_points(steps, power=3):
    """Positions on the path from 0 to 1, and their weights in the sum.

    With α = uᵖ, ∫ g(α) dα = ∫ g(uᵖ) p uᵖ⁻¹ du: the same integral, looked at more closely where α
    is small. In u it is the midpoint rule; the weights are scaled to add up to 1, so that a
    constant g is integrated exactly.

    Args:
        steps: positions, at least 1.
        power: p, at least 1; 1 spaces the positions evenly.

    Returns:
        Two arrays (steps,).
    """
    check_positive(steps=steps)
    check_in("[1, ∞)", power=power)
    u = (np.arange(steps) + 0.5) / steps
    weights = power * u ** (power - 1)
    return u**power, weights / weights.sum()


def path_gradients(model, images, class_index, baseline, positions, weights):
    """The weighted sum of the gradients at positions between baseline and image.

    All positions of all images go through the network together, a chunk at a time.

    Args:
        positions, weights: arrays (steps,): where on the path, and how much that counts.

    Returns:
        float32 like images.
    """
    images, classes = _prepare(model, images, class_index)
    baseline = _check_baseline(baseline, images)
    if np.ndim(positions) != 1 or np.shape(positions) != np.shape(weights):
        raise ValueError(
            f"positions has shape {np.shape(positions)} and weights {np.shape(weights)}; both must "
            f"be (steps,)"
        )
    compiled = _compiled(model, "input", _build_input_gradient)
    which = np.repeat(np.arange(len(images)), len(positions))
    alphas = np.tile(positions, len(images))[:, None, None, None]
    shares = np.tile(weights, len(images))
    total = np.zeros_like(images)
    for place in _chunks(np.arange(len(which))):
        i = which[place]
        between = baseline[i] + alphas[place] * (images[i] - baseline[i])
        gradients = compiled(between.astype("float32"), classes[i]).numpy()
        total += _sum_by_image(gradients, i, shares[place], len(images))
    return total


def integrated_gradients_in_a_loop(model, image, class_index, baseline, steps=64, power=3):
    """Integrated Gradients as most notebooks have it: one step at a time, not compiled.

    The same numbers as `integrated_gradients` for one image (1, H, W, C) of a model that ends in
    logits; here to compare the time.
    """
    if len(image) != 1:
        raise ValueError(f"image has shape {np.shape(image)}; it must be one image (1, H, W, C)")
    total = 0
    for alpha, weight in zip(*path_points(steps, power), strict=True):
        between = tf.constant(baseline + alpha * (image - baseline), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = model(between)[0, class_index]
        total += weight * tape.gradient(score, between).numpy()
    return (image - baseline) * total


def completeness_gap(model, images, attributions, class_index=None, baseline=None):
    """How far attributions are from adding up to what they should explain.

    Returns:
        Array (B,): |sum of attributions − (F(x) − F(x′))| / |F(x) − F(x′)|. Where there is no
        difference to explain, 0 if the attributions add up to 0, and otherwise infinity.
    """
    images, classes = _prepare(model, images, class_index)
    baseline = _check_baseline(baseline, images)
    if np.shape(attributions) != images.shape:
        raise ValueError(
            f"attributions has shape {np.shape(attributions)}; it must be that of images, "
            f"{images.shape}"
        )
    difference = _of_class(logits(model, images), classes)
    difference -= _of_class(logits(model, baseline), classes)
    sums = np.sum(attributions, axis=(1, 2, 3), dtype="float64")
    missing = np.abs(sums - difference)
    nothing = np.where(missing > 0, np.inf, 0.0)
    return np.divide(missing, np.abs(difference), out=nothing, where=difference != 0)


def complete_integrated_gradients(
    model, images, class_index=None, baseline=None, tolerance=0.01, first=16, most=512, power=3
):
    """Integrated Gradients with as many steps as each image needs.

    Doubles the steps of those images whose gap is still above the tolerance.

    Args:
        tolerance: the largest completeness gap to accept, at least 0.
        first, most: steps to begin with, and not to go beyond.

    Returns:
        Attributions like images, steps (B,) and gaps (B,). A gap above the tolerance means that
        `most` steps were not enough.
    """
    images, classes = _prepare(model, images, class_index)
    baseline = _check_baseline(baseline, images)
    check_positive(first=first, most=most)
    if first > most:
        raise ValueError(f"first is {first} and most {most}; first must not be above most")
    check_in("[0, ∞]", tolerance=tolerance)
    attributions = np.zeros_like(images)
    steps, gaps = np.zeros(len(images), int), np.full(len(images), np.inf)
    count = first
    while count <= most and np.any(gaps > tolerance):
        open_ = gaps > tolerance
        part = images[open_], classes[open_], baseline[open_]
        found = integrated_gradients(model, *part, count, power)
        attributions[open_], steps[open_] = found, count
        gaps[open_] = completeness_gap(model, part[0], found, *part[1:])
        count *= 2
    return attributions, steps, gaps


def deletion_curve(model, images, maps, class_index=None, replacement=None, points=16):
    """How a class's probability falls as pixels are replaced, the most important first.

    Petsiuk et al. (2018), "RISE", section 4.1. A good map makes it fall at once.

    Args:
        maps: array (B, H, W), the importance of each pixel.
        replacement: what takes the pixels' place, like images; zeros if None.
        points: steps from nothing replaced to all.

    Returns:
        Array (B, points + 1) of probabilities, by a sigmoid if the model ends in one or has a
        single output, and otherwise by a softmax; their mean is the height of the curve.
    """
    images, classes = _prepare(model, images, class_index)
    replacement = _check_baseline(replacement, images)
    return _exchange(model, images, replacement, maps, classes, points)


def insertion_curve(model, images, maps, class_index=None, replacement=None, points=16):
    """How a class's probability rises as pixels are put back, the most important first.

    Arguments and result as for `deletion_curve`. A good map makes it rise at once.
    """
    images, classes = _prepare(model, images, class_index)
    replacement = _check_baseline(replacement, images)
    return _exchange(model, replacement, images, maps, classes, points)


@contextlib.contextmanager
def shuffled_weights(model, layer_names, seed=0):
    """Within this context the numbers of each weight of some layers have changed places.

    For the sanity check of Adebayo et al. (2018), "Sanity Checks for Saliency Maps". Shuffled, not
    drawn anew, so that what passes through the layers keeps its size. Afterwards the model is
    what it was.

    Args:
        layer_names: layers to spoil.
        seed: of the shuffling.
    """
    for name in layer_names:
        _check_layer(model, name, rank=None)
    check_whole_number("seed", seed, 0)
    before = model.get_weights()
    rng = np.random.default_rng(seed)
    try:
        for name in layer_names:
            layer = model.get_layer(name)
            shuffled = [rng.permuted(w.ravel()).reshape(w.shape) for w in layer.get_weights()]
            layer.set_weights(shuffled)
        yield model
    finally:
        model.set_weights(before)


def sanity_check(model, methods, layer_names, seed=0):
    """How far maps stay the same while more and more layers lose their weights.

    Args:
        methods: dict from name to a function without arguments that draws maps (B, h, w) of
            `model`'s answers.
        layer_names: layers to shuffle, one more at a time, in this order.
        seed: of the shuffling.

    Returns:
        Dict from name to len(layer_names) + 1 rank correlations with the right map, means over
        the images; the first is 1. A map without any contrast counts as 0.
    """
    right = {name: method() for name, method in methods.items()}
    found = {name: [1.0] for name in methods}
    for depth in range(1, len(layer_names) + 1):
        with shuffled_weights(model, layer_names[:depth], seed):
            for name, method in methods.items():
                similar = rank_correlation(right[name], method())
                found[name].append(float(np.nan_to_num(similar).mean()))
    return found


def rank_correlation(maps, others):
    """Spearman's correlation of two maps of each image: 1 for the same order, 0 for no relation.

    Returns:
        Array (B,); NaN where a map is constant.
    """
    if np.shape(maps) != np.shape(others):
        raise ValueError(
            f"maps has shape {np.shape(maps)} and others {np.shape(others)}; they must be equal"
        )
    return np.array(
        [
            stats.spearmanr(np.ravel(a), np.ravel(b)).statistic
            if np.ptp(a) and np.ptp(b)
            else np.nan
            for a, b in zip(maps, others, strict=True)
        ]
    )


def to_maps(attributions):
    """Turns attributions (B, H, W, C) into maps (B, H, W) in [0, 1] to look at.

    The sizes are added over the channels and cut at the 99th percentile, so that a few single
    pixels do not leave the rest dark. An image without any attribution gives zeros.
    """
    _check_rank("attributions", attributions, "(B, H, W, C)")
    maps = np.abs(attributions).sum(axis=-1)
    top = np.percentile(maps, 99, axis=(1, 2), keepdims=True)
    top = np.where(top > 0, top, maps.max(axis=(1, 2), keepdims=True))
    return np.clip(np.divide(maps, top, out=np.zeros_like(maps), where=top > 0), 0, 1)


def resize_maps(maps, size):
    """Scales maps (B, h, w) to size (H, W), linearly between the places."""
    _check_rank("maps", maps, "(B, h, w)")
    return tf.image.resize(np.asarray(maps)[..., None], size).numpy()[..., 0]


def blur(images, sigma=20):
    """Images (B, H, W, C) so blurred that little can be recognised, for a baseline.

    Args:
        sigma: standard deviation of the Gaussian, in pixels; 0 leaves the images as they are.
    """
    _check_rank("images", images, "(B, H, W, C)")
    check_in("[0, ∞)", sigma=sigma)
    return ndimage.gaussian_filter(np.asarray(images, "float32"), (0, sigma, sigma, 0))


def logits(model, images):
    """The logits (B, classes) of images, also of a model that ends in a softmax or sigmoid."""
    compiled = _compiled(model, "logits", _build_logits)
    return _in_chunks(compiled, _check_images(model, images))


def layer_picker(model, images, pictures, layer_names, class_index=None):
    """Grad-CAM of one image at several layers: a figure, and where widgets work a menu.

    Args:
        images: one image, (1, H, W, C), as the model takes it.
        pictures: the same to look at, (1, H, W, 3) in [0, 1].
        layer_names: the layers to choose from.

    Returns:
        Dict from layer name to its map (h, w).
    """
    if len(images) != 1 or len(pictures) != 1:
        raise ValueError(
            f"images has shape {np.shape(images)} and pictures {np.shape(pictures)}; both must "
            f"hold one image"
        )
    maps = {name: grad_cam(model, images, name, class_index)[0] for name in layer_names}
    size = pictures.shape[1:3]
    heat = {name: resize_maps(each[None], size) for name, each in maps.items()}
    plots.overlays(
        np.repeat(pictures, len(heat), axis=0),
        np.concatenate(list(heat.values())),
        titles=[f"{name} {each.shape[0]}×{each.shape[1]}" for name, each in maps.items()],
        columns=len(heat),
        alt=f"The same picture with the Grad-CAM of {len(heat)} layers: {', '.join(heat)}.",
    )
    menu = ipywidgets.Dropdown(options=list(heat), value=layer_names[-1], description="layer")
    output = ipywidgets.Output()

    def draw(change):
        name = change["new"]
        with output:
            output.clear_output(wait=True)
            plots.overlays(pictures, heat[name], alt=f"The picture with the Grad-CAM of {name}.")

    menu.observe(draw, names="value")
    view = ipywidgets.VBox([menu, output])._repr_mimebundle_()
    display(view | {"text/plain": "In JupyterLab a menu stands here, to pick a layer."}, raw=True)
    return maps


def _compiled(model, key, build):
    """Compiles once for each model: the function is kept with the model, and ends with it."""
    _check_model(model)
    # Past Keras's own __setattr__, which would take it for a part of the model.
    functions = model.__dict__.setdefault("_compiled_to_explain", {})
    if key not in functions:
        functions[key] = build(model)
    return functions[key]


def _build_logits(model):
    body, finish = _split_end(model)
    return _tf_function(model, lambda images: finish(body(images, training=False)), classes=False)


def _build_input_gradient(model):
    body, finish = _split_end(model)

    def gradient(images, classes):
        with tf.GradientTape() as tape:
            tape.watch(images)
            chosen = tf.gather(finish(body(images, training=False)), classes, batch_dims=1)
        return tape.gradient(chosen, images)

    return _tf_function(model, gradient)


def _build_guided_gradient(model):
    return _build_input_gradient(_guided(model))


def _build_layer_gradient(model, layer_name):
    body, finish = _split_end(model)
    both = keras.Model(model.inputs, [model.get_layer(layer_name).output, body.outputs[0]])

    def gradient(images, classes):
        with tf.GradientTape() as tape:
            features, end = both(images, training=False)
            chosen = tf.gather(finish(end), classes, batch_dims=1)
        # A layer beside the path to the logits has no gradient.
        return features, tape.gradient(chosen, features, unconnected_gradients="zero")

    return _tf_function(model, gradient)


def _tf_function(model, function, classes=True):
    """Compiles for any number of images, so that it is traced once."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    if classes:
        signature.append(tf.TensorSpec((None,), tf.int32))
    return tf.function(function, input_signature=signature)


def _split_end(model):
    """Returns the model without its last layer's softmax or sigmoid, and how to get to the logits.

    Where the softmax is a layer's activation, the model ends before that layer, and the second
    result does what the layer does before its activation.
    """
    end, node, _ = model.outputs[0]._keras_history
    name = _end_activation(end)
    if name is None:
        return model, lambda x: x
    if isinstance(end, keras.Model):
        raise ValueError(
            f"model ends in the model {end.name!r} and its {name}, which cannot be passed by; "
            f"build the model of layers, or end it in logits"
        )
    body = keras.Model(model.inputs, end._inbound_nodes[node].input_tensors[0])
    alone = _activation_name(end) is None or isinstance(end, keras.layers.Activation)
    return body, (lambda x: x) if alone else _linear(end)


def _end_activation(end):
    """Returns "softmax" or "sigmoid" if a last layer, operation or model ends in it, or None."""
    if isinstance(end, keras.Model):
        outputs = getattr(end, "outputs", None)
        return _end_activation(outputs[0]._keras_history[0]) if outputs else None
    # keras.layers.Softmax, and what keras.ops.softmax and keras.ops.sigmoid leave in the graph.
    name = _activation_name(end) or type(end).__name__.lower()
    return name if name in ("softmax", "sigmoid") else None


def _activation_name(layer):
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _linear(layer):
    """Returns a function that does what a layer does before its activation."""

    def call(x):
        activation, layer.activation = layer.activation, keras.activations.linear
        try:
            return layer.call(x)
        finally:
            layer.activation = activation

    return call


@tf.custom_gradient
def _guided_relu(x, top):
    def backward(gradient):
        passes = (x > 0) & (x < top) & (gradient > 0)
        return tf.where(passes, gradient, tf.zeros_like(gradient)), None

    return tf.clip_by_value(x, 0.0, top), backward


def _guided(model):
    """Returns the model with guided ReLUs; it shares all other layers."""
    tops = {"relu": np.inf, "relu6": 6.0}

    def call(layer, x, *args, **kwargs):
        activation = _activation_name(layer)
        if isinstance(layer, keras.layers.ReLU):
            top = np.inf if layer.max_value is None else float(layer.max_value)
        elif activation in tops:
            top = tops[activation]
            if not isinstance(layer, keras.layers.Activation):
                x = keras.layers.Lambda(_linear(layer))(x)
        else:
            return layer(x, *args, **kwargs)
        return keras.layers.Lambda(lambda x: _guided_relu(x, tf.constant(top, x.dtype)))(x)

    return keras.models.clone_model(model, call_function=call, clone_function=lambda layer: layer)


def _exchange(model, before, after, maps, classes, points):
    maps = np.asarray(maps)
    if maps.shape != before.shape[:3]:
        raise ValueError(f"maps has shape {maps.shape}; it must be {before.shape[:3]}")
    if not np.all(np.isfinite(maps)):
        raise ValueError("maps holds values that are not finite")
    check_positive(points=points)
    pixels = maps[0].size
    order = np.argsort(-maps.reshape(len(maps), pixels), axis=1, kind="stable")
    rank = np.argsort(order, axis=1).reshape(maps.shape)[..., None]  # 0 for the most important
    curves = [
        _probabilities(model, np.where(rank < pixels * k / points, after, before), classes)
        for k in range(points + 1)
    ]
    return np.stack(curves, axis=1)


def _probabilities(model, images, classes):
    scores = logits(model, images).astype("float64")
    end = model.outputs[0]._keras_history[0]
    # One logit alone would have a softmax of 1, whatever the image.
    if scores.shape[1] == 1 or _end_activation(end) == "sigmoid":
        return _of_class(expit(scores), classes)
    return _of_class(softmax(scores, axis=1), classes)


def _of_class(values, classes):
    return np.take_along_axis(values.astype("float64"), classes[:, None], axis=1)[:, 0]


def _chunks(array):
    return [array[start : start + CHUNK] for start in range(0, len(array), CHUNK)]


def _in_chunks(function, *arrays):
    parts = [function(*each) for each in zip(*map(_chunks, arrays), strict=True)]
    if isinstance(parts[0], tuple):
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    return np.concatenate(parts)


def _sum_by_image(gradients, which, weights, count):
    """Adds weighted gradients (n, …) up for each of `count` images; `which` says whose each is."""
    shares = np.zeros((len(gradients), count), "float32")
    shares[np.arange(len(gradients)), which] = weights
    return np.tensordot(shares, gradients, axes=(0, 0))


def _prepare(model, images, class_index):
    """Returns the images as floats and the class of each, checked."""
    images = _check_images(model, images)
    if class_index is None:
        return images, logits(model, images).argmax(axis=1).astype("int32")
    classes = np.asarray(class_index)
    width = model.output_shape[-1]
    if not np.issubdtype(classes.dtype, np.integer) or classes.shape not in ((), (len(images),)):
        raise ValueError(
            f"class_index is {class_index!r}; it must be a whole number, one for each of the "
            f"{len(images)} images, or None"
        )
    if np.any(classes < 0) or np.any(classes >= width):
        wrong = classes[(classes < 0) | (classes >= width)].ravel()[0]
        raise ValueError(f"class_index is {wrong}; the model has the classes 0 to {width - 1}")
    return images, np.broadcast_to(classes, len(images)).astype("int32")


def _check_model(model):
    if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
        raise ValueError(f"model is {model!r}; it must be a functional or built Sequential model")
    shapes = [tuple(x.shape) for x in model.inputs], [tuple(x.shape) for x in model.outputs]
    if [[len(shape) for shape in each] for each in shapes] != [[4], [2]]:
        raise ValueError(
            f"model goes from {model.input_shape} to {model.output_shape}; it must have one input "
            f"(B, H, W, C) and one output (B, classes)"
        )


def _check_images(model, images):
    _check_model(model)
    images = np.asarray(images, "float32")
    needed = model.input_shape[1:]
    fits = images.ndim == 4 and all(
        n in (None, m) for n, m in zip(needed, images.shape[1:], strict=True)
    )
    if not fits or len(images) == 0:
        hint = "; for one image, images[None]" if images.shape == needed else ""
        raise ValueError(f"images has shape {images.shape}; the model takes (B, *{needed}){hint}")
    if not np.all(np.isfinite(images)):
        raise ValueError("images holds values that are not finite")
    scales_itself = any(
        isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
        for layer in model.layers
    )
    if np.abs(images).max() > 100 and not scales_itself:
        raise ValueError(
            f"images goes up to {np.abs(images).max():g}: these look like bytes, and the model has "
            f"no layer that scales them; EfficientNet-Lite0 needs pretrained.preprocess"
        )
    return images


def _check_rank(name, array, needed):
    if np.ndim(array) != needed.count(",") + 1:
        raise ValueError(f"{name} has shape {np.shape(array)}; it must be {needed}")


def _check_baseline(baseline, images):
    if baseline is None:
        return np.zeros_like(images)
    baseline = np.asarray(baseline, "float32")
    if baseline.shape not in (images.shape, images.shape[1:]):
        raise ValueError(
            f"baseline has shape {baseline.shape}; it must be {images.shape[1:]} or {images.shape}"
        )
    if not np.all(np.isfinite(baseline)):
        raise ValueError("baseline holds values that are not finite")
    return np.broadcast_to(baseline, images.shape)


def _check_layer(model, name, rank=4):
    _check_model(model)
    names = [layer.name for layer in model.layers]
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.3)
        hint = f"; near to it are {', '.join(near)}" if near else ""
        raise ValueError(f"the model has no layer {name!r}{hint}")
    shape = model.get_layer(name).output.shape
    if rank is not None and len(shape) != rank:
        raise ValueError(
            f"layer {name!r} has the output {tuple(shape)}; Grad-CAM needs a feature map "
            f"(B, h, w, channels)"
        )
