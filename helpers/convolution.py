"""Convolution and pooling worked out in NumPy, their arithmetic, and networks made of them.

Images are (H, W, C) and kernels (h, w, C, F), channels last as in Keras. As in all of deep
learning, "convolution" means cross-correlation: the kernel is not turned round.
"""

import math
import numbers

from helpers.arguments import check_choice, check_positive, check_whole_number
from helpers.fitting import train_with_cosine

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

PADDINGS = ("valid", "same")


def convolve(image, kernels, stride=1, padding="valid"):
    """Slides kernels over an image: at each place, the sum of products with what lies below.

    Args:
        image: array (H, W, C).
        kernels: array (h, w, C, F).
        stride: step along both sides.
        padding: "valid" for places where the kernel fits in the image, "same" for zeros around the
            image such that the output has ⌈H/stride⌉ × ⌈W/stride⌉ places.

    Returns:
        Array (H', W', F), H' and W' as `output_size` gives them.

    Raises:
        ValueError: if the shapes do not fit, stride is no whole number of at least 1, or padding is
            unknown.
    """
    image, kernels = np.asarray(image), np.asarray(kernels)
    if image.ndim != 3 or kernels.ndim != 4 or image.shape[2] != kernels.shape[2]:
        raise ValueError(
            f"image has shape {image.shape} and kernels {kernels.shape}; they must be (H, W, C) "
            f"and (h, w, C, F) with the same C"
        )
    windows = _windows(image, kernels.shape[:2], stride, padding, outside=0)
    return np.einsum("yxchw,hwcf->yxf", windows, kernels)


def max_pool(image, size=2, stride=None):
    """Keeps the largest value of each window and channel.

    Args:
        image: array (H, W, C).
        size: side of the windows.
        stride: step along both sides; None for the size, so that windows do not overlap.

    Returns:
        Array (H', W', C) of the windows that fit in the image.

    Raises:
        ValueError: if the image is no (H, W, C) or smaller than a window, or size or stride is no
            whole number of at least 1.
    """
    image = np.asarray(image)
    if image.ndim != 3:
        raise ValueError(f"image has shape {image.shape}; it must be (H, W, C)")
    check_positive(size=size)
    stride = size if stride is None else stride
    windows = _windows(image, (size, size), stride, "valid", outside=-np.inf)
    return windows.max(axis=(-2, -1))


def output_size(size, kernel, stride=1, padding="valid", dilation=1):
    """Places that a kernel takes along a side of an image.

    ⌊(size + p − dilation·(kernel − 1) − 1) / stride⌋ + 1 with p zeros in all, or ⌈size / stride⌉
    with "same" padding.

    Args:
        size: pixels along the side.
        kernel: pixels of the kernel along that side.
        stride: step.
        padding: "valid", "same", or a number of zeros on each end.
        dilation: step between the kernel's own pixels.

    Returns:
        A whole number.

    Raises:
        ValueError: if a number is not whole and positive, or the kernel does not fit.
    """
    check_positive(size=size, kernel=kernel, stride=stride, dilation=dilation)
    if padding == "same":
        return math.ceil(size / stride)
    if padding == "valid":
        padding = 0
    whole = isinstance(padding, numbers.Integral) and not isinstance(padding, bool)
    if not whole or padding < 0:
        raise ValueError(f"padding is {padding!r}; it must be valid, same or a number of zeros")
    reach = dilation * (kernel - 1) + 1
    if reach > size + 2 * padding:
        raise ValueError(
            f"kernel reaches over {reach} pixels and size is {size}"
            + (f" with {2 * padding} zeros" if padding else "")
            + "; it must fit"
        )
    return (size + 2 * padding - reach) // stride + 1


def receptive_field(stack):
    """How many pixels along a side can change one output of a stack of layers.

    With jump j (the pixels between neighbouring outputs), starting from r = 1 and j = 1, each layer
    sets r ← r + dilation·(kernel − 1)·j and j ← stride·j.

    Args:
        stack: layers from the image on, each (kernel, stride) or (kernel, stride, dilation);
            convolutions and pooling alike.

    Returns:
        The field r and the jump j, in pixels.

    Raises:
        ValueError: if a layer is not such a tuple of positive whole numbers.
    """
    field, jump = 1, 1
    for i, layer in enumerate(stack):
        if not isinstance(layer, tuple | list) or len(layer) not in (2, 3):
            raise ValueError(f"stack[{i}] is {layer!r}; it must be (kernel, stride[, dilation])")
        kernel, stride, dilation = (*layer, 1)[:3]
        numbers_of_layer = {"kernel": kernel, "stride": stride, "dilation": dilation}
        check_positive(**{f"stack[{i}] {name}": n for name, n in numbers_of_layer.items()})
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def multiply_adds(model):
    """Multiplications with an addition that a model needs for one image.

    Counted are convolutions and dense layers, as papers do; each output place of a kernel costs as
    many as the kernel has weights that feed it. Biases, normalisation, pooling and activation are
    left out. A layer that the model uses more than once is counted once.

    Args:
        model: a functional or sequential `keras.Model`, built for images of a fixed size.

    Returns:
        A whole number.

    Raises:
        ValueError: if the model is not built, its images may have any size, or it has a
            convolution of another kind.
    """
    if not model.built:
        raise ValueError(f"model {model.name} is not built; it must begin with a keras.Input")

    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
        elif isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D | layers.Dense):
            sides = layer.output.shape[1:-1]
            if None in sides:
                raise ValueError(
                    f"model has the layer {layer.name} with an output of shape "
                    f"{layer.output.shape}; its images must have a fixed size"
                )
            total += math.prod(sides) * math.prod(layer.kernel.shape)
        elif "Conv" in type(layer).__name__ and layer.weights:
            raise ValueError(f"model has the layer {layer.name} ({type(layer).__name__}): unknown")
    return total


def separable_block(x, filters, stride=1):
    """A 3×3 filter for each channel, then a 1×1 convolution that mixes the channels.

    Howard et al. (2017), "MobileNets", figure 3: batch normalisation and ReLU after both. It costs
    1/F + 1/9 of the multiplications of a 3×3 convolution with F filters.

    Args:
        x: tensor (B, H, W, C).
        filters: channels F of the output.
        stride: step of the depthwise filter.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, F).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1.
    """
    check_positive(filters=filters, stride=stride)
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
    x = _normalised(x)
    return _normalised(layers.Conv2D(filters, 1, use_bias=False)(x))


def convolution_block(x, filters, stride=1):
    """A 3×3 convolution, batch normalisation and ReLU.

    Args:
        x, filters, stride: see `separable_block`.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, F).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1.
    """
    check_positive(filters=filters, stride=stride)
    # No bias: the normalisation would take it away, and adds an offset of its own.
    convolution = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)
    return _normalised(convolution(x))


def build_classifier(
    input_shape=(28, 28, 1),
    num_classes=10,
    stages=((16,), (32, 32), (64,)),
    block=convolution_block,
    augmentation=(),
    dropout=0.2,
):
    """A small image classifier: blocks, pooling between stages, global average pooling, logits.

    The first block is a full convolution whatever `block` says, as in MobileNet: with few channels
    in the image there is nothing to save.

    Args:
        input_shape: (H, W, C) of the images, in [0, 1].
        num_classes: number of logits.
        stages: channels of the blocks of each stage; max pooling halves the map between stages.
        block: `convolution_block` or `separable_block`, or a function like them.
        augmentation: Keras layers that change images at random. `fit` switches them on, `predict`
            and `evaluate` off. A plain call does not: say `model(x, training=False)`.
        dropout: share of the pooled features that training drops.

    Returns:
        keras.Model from images (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: if stages is empty or holds what is no stage or an empty one, input_shape has
            no three sides, or halving leaves no pixel.
    """
    if not stages or not all(isinstance(stage, tuple | list) and stage for stage in stages):
        raise ValueError(f"stages is {stages!r}; it must hold stages of at least one block each")
    check_positive(num_classes=num_classes)
    if len(input_shape) != 3 or None in input_shape:
        raise ValueError(f"input_shape is {input_shape}; it must be (H, W, C)")
    if min(input_shape[:2]) < 2 ** (len(stages) - 1):
        raise ValueError(
            f"input_shape is {input_shape}; {len(stages)} stages need at least "
            f"{2 ** (len(stages) - 1)} pixels along each side"
        )
    x = inputs = keras.Input(input_shape)
    for layer in augmentation:
        x = layer(x)
    for i, widths in enumerate(stages):
        if i:
            x = layers.MaxPooling2D(2)(x)
        for j, filters in enumerate(widths):
            x = (block if i or j else convolution_block)(x, filters)
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(num_classes)(x))


def train_classifier(
    model, images, labels, *, epochs, batch_size, learning_rate, validation=None, callbacks=()
):
    """Trains a classifier of logits by Adam, its rate falling to 0 along half a cosine.

    Args:
        model: keras.Model from images to logits.
        images, labels: arrays (n, H, W, C) and (n,).
        epochs, batch_size, learning_rate: as in Keras; the rate is the one at the start.
        validation: another pair of images and labels, to be scored after each epoch.
        callbacks: Keras callbacks.

    Returns:
        Dict from the name of a score to its values after each epoch.

    Raises:
        ValueError: if epochs or batch_size is not a whole number of at least 1.
    """
    return train_with_cosine(
        model,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        images,
        labels,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        metrics=["accuracy"],
        validation_data=validation,
        callbacks=list(callbacks),
    )


def logits(model, images, batch_size=500):
    """A classifier's answers in inference mode.

    Args:
        model: keras.Model from images to logits.
        images: array (n, H, W, C).
        batch_size: images that are answered at a time.

    Returns:
        Array (n, classes).

    Raises:
        ValueError: if there are no images, or batch_size is not a whole number of at least 1.
    """
    check_positive(batch_size=batch_size)
    _check_some(images)
    starts = range(0, len(images), batch_size)
    parts = [model(images[start : start + batch_size], training=False) for start in starts]
    return np.concatenate(parts)


def feature_maps(model, images):
    """The maps after every ReLU of a model, in inference mode.

    Args:
        model: functional `keras.Model` with layers `keras.layers.ReLU`.
        images: array (B, H, W, C).

    Returns:
        List of tensors (B, H', W', F), in the order of the layers.

    Raises:
        ValueError: if the model has no layer ReLU.
    """
    return _features(model)(images, training=False)


def liveliest(maps, count=8, side=28):
    """The maps of one image that vary most, made ready to be drawn.

    A map's liveliness is its standard deviation. Each map is then divided by its own brightest
    place, so that brightness can be compared within a picture and not between two.

    Args:
        maps: array (H, H, F), at least 0.
        count: how many, at most F.
        side: pixels of the pictures along a side; a multiple of H.

    Returns:
        Array (count, side, side), in [0, 1], the liveliest first.

    Raises:
        ValueError: if maps has another shape or values below 0, count is not from 1 to F, or side
            is no multiple of H.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3:
        raise ValueError(f"maps has shape {maps.shape}; it must be (H, H, F)")
    if not np.all(maps >= 0):
        raise ValueError(f"maps has values down to {maps.min()}; they must be at least 0")
    check_whole_number("count", count, 1, maps.shape[-1])
    maps = np.moveaxis(maps, -1, 0)
    maps = maps[np.argsort(-maps.std(axis=(1, 2)))[:count]]
    brightest = np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-9)
    return np.array([enlarge(each, side) for each in maps / brightest])


def enlarge(picture, side):
    """Repeats each pixel of a square picture until it has more along a side.

    Args:
        picture: array (n, n).
        side: pixels along a side that are wanted; a multiple of n.

    Returns:
        Array (side, side).

    Raises:
        ValueError: if the picture is not square or side is no multiple of its own.
    """
    check_positive(side=side)
    picture = np.asarray(picture)
    if (
        not picture.size
        or picture.ndim != 2
        or picture.shape[0] != picture.shape[1]
        or side % len(picture)
    ):
        raise ValueError(
            f"picture has shape {picture.shape}; it must be square, and side ({side}) a multiple"
        )
    return np.kron(picture, np.ones((side // len(picture),) * 2))


def sensitivity(model, images):
    """How much each pixel moves the middle place of the last maps.

    Args:
        model: functional `keras.Model` whose last layer `keras.layers.ReLU` gives maps.
        images: array (n, H, W, C).

    Returns:
        Array (H, W): the size of the gradient of the sum of all maps at their middle place, its
        mean over images and channels.

    Raises:
        ValueError: if there are no images, or the model's last ReLU gives no maps.
    """
    _check_some(images)
    features = _features(model)
    if len(features.outputs[-1].shape) != 4:
        raise ValueError(f"model {model.name} has no maps (B, H, W, F) after its last ReLU")
    images = tf.cast(images, "float32")  # whole numbers have no gradient
    with tf.GradientTape() as tape:
        tape.watch(images)
        maps = features(images, training=False)[-1]
        middle = tf.reduce_sum(maps[:, maps.shape[1] // 2, maps.shape[2] // 2])
    return np.abs(tape.gradient(middle, images)).mean(axis=(0, -1))


#: The maps of S2 that each of the 16 maps of C3 reads (LeCun et al., 1998, table I).
LENET_CONNECTIONS = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    *((i, i + 1, (i + 3) % 6, (i + 4) % 6) for i in range(3)),
    (0, 1, 2, 3, 4, 5),
)


def build_lenet5():
    """LeNet-5 (LeCun et al., 1998, section II.B) up to F6, the layer before the output.

    Its output layer compares F6 with a fixed drawing of each digit and has nothing to learn. The
    maps of C3 read only some of those before them, and subsampling has a factor and an offset for
    each map: 60,000 weights in all.

    Returns:
        A `keras.Model` from images (B, 32, 32, 1) to F6 (B, 84).
    """
    inputs = keras.Input((32, 32, 1))
    x = _squashed(layers.Conv2D(6, 5, name="C1")(inputs))
    x = _squashed(Subsampling(name="S2")(x))
    maps = [
        layers.Conv2D(1, 5, name=f"C3_{i}")(ops.take(x, list(read), axis=-1))
        for i, read in enumerate(LENET_CONNECTIONS)
    ]
    x = _squashed(layers.Concatenate()(maps))
    x = _squashed(Subsampling(name="S4")(x))
    x = _squashed(layers.Flatten()(layers.Conv2D(120, 5, name="C5")(x)))
    return keras.Model(inputs, _squashed(layers.Dense(84, name="F6")(x)), name="lenet5")


@keras.saving.register_keras_serializable("convolution")
class Subsampling(layers.Layer):
    """LeNet's pooling: the mean of 2×2 pixels, times a factor, plus an offset, for each map."""

    def build(self, input_shape):
        maps = (input_shape[-1],)
        self.factor = self.add_weight(maps, initializer="ones", name="factor")
        self.offset = self.add_weight(maps, initializer="zeros", name="offset")

    def call(self, x):
        return ops.average_pool(x, 2, 2) * self.factor + self.offset


@keras.saving.register_keras_serializable("convolution")
def squash(x):
    """LeNet's activation f(a) = 1.7159 tanh(2a/3), which maps ±1 to ±1 (appendix A)."""
    return 1.7159 * ops.tanh(2 / 3 * x)


def _check_some(images):
    if len(images) == 0:
        raise ValueError(f"images has shape {np.shape(images)}; there must be at least one")


def _features(model):
    outputs = [layer.output for layer in model.layers if isinstance(layer, layers.ReLU)]
    if not outputs:
        raise ValueError(f"model {model.name} has no layer ReLU, after which maps are taken")
    return keras.Model(model.input, outputs)


def _squashed(x):
    return layers.Activation(squash)(x)


def _normalised(x):
    # Keras' momentum of 0.99 lags for hundreds of steps behind a network that learns quickly.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _windows(image, size, stride, padding, outside):
    """All windows of an image: (H', W', C, h, w)."""
    check_positive(stride=stride, **{"size of the window": min(size)})
    check_choice("padding", padding, PADDINGS)
    if padding == "same":
        needed = [
            max((math.ceil(side / stride) - 1) * stride + width - side, 0)
            for side, width in zip(image.shape, size, strict=False)
        ]
        ends = [(total // 2, total - total // 2) for total in needed]
        image = np.pad(image, [*ends, (0, 0)], constant_values=outside)
    if any(side < width for side, width in zip(image.shape, size, strict=False)):
        raise ValueError(f"image has shape {image.shape}; a window of {size} must fit in it")
    windows = np.lib.stride_tricks.sliding_window_view(image, size, axis=(0, 1))
    return windows[::stride, ::stride]
