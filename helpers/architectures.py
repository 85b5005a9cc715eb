"""Residual networks, GoogLeNet and densely connected networks, as their papers give them.

Images are (B, H, W, C); every builder returns a functional `keras.Model` that ends in logits.
Convolutions that a batch normalisation follows have no bias, since the normalisation takes the
mean away and adds an offset of its own.
"""

import math
import numbers

from helpers.arguments import check_in, check_positive

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

#: Widths of GoogLeNet's nine modules (Szegedy et al., 2015, table 1), in the order of
#: `inception_module`.
GOOGLENET_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def trainable_parameters(model):
    """Numbers that training changes: what papers count, so no running means and variances."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def relative_gradients(model, images, labels):
    """How hard the loss pulls at each layer: |gradient| / |weights| of its kernel.

    The model runs as in training, which moves the running statistics of its batch normalisations.

    Args:
        model: a `keras.Model` that ends in logits.
        images, labels: a batch, labels as whole numbers (B,).

    Returns:
        Array with a number for each layer that has a kernel, in the order of the layers.

    Raises:
        ValueError: if there are no images, or not one label for each.
    """
    if len(images) == 0 or np.shape(labels) != (len(images),):
        raise ValueError(
            f"labels has the shape {np.shape(labels)}; it needs one label for each of "
            f"{len(images)} images, and at least one image"
        )
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    kernels = [weight for weight in model.trainable_weights if weight.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = cross_entropy(labels, model(images, training=True))
    gradients = tape.gradient(loss, [kernel.value for kernel in kernels])
    return np.array(
        [float(tf.norm(g) / tf.norm(w)) for g, w in zip(gradients, kernels, strict=True)]
    )


def residual_block(x, filters, stride=1):
    """Two 3×3 convolutions around which the input is added: relu(F(x) + x).

    He et al. (2016), figure 5 left. Where the shape changes, a 1×1 convolution projects the input
    (their option B).

    Args:
        x: tensor (B, H, W, C).
        filters: channels of the output.
        stride: step of the first convolution; 2 halves the sides.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, filters).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1.
    """
    branch = _basic_branch(x, filters, stride)
    return layers.ReLU()(layers.Add()([branch, _projection(x, filters, stride)]))


def plain_block(x, filters, stride=1):
    """The two convolutions of `residual_block` with nothing added: relu(F(x)).

    Args:
        x, filters, stride: see `residual_block`.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, filters).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1.
    """
    return layers.ReLU()(_basic_branch(x, filters, stride))


def padded_residual_block(x, filters, stride=1):
    """A `residual_block` whose shortcut has no parameters (option A of He et al., 2016).

    Args:
        x, filters, stride: see `residual_block`; filters must be at least the channels of x.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, filters).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1, or x has more channels
            than filters.
    """
    branch = _basic_branch(x, filters, stride)
    return layers.ReLU()(layers.Add()([branch, PaddedShortcut(filters, stride)(x)]))


def bottleneck_block(x, filters, stride=1):
    """1×1, 3×3 and 1×1 convolutions around which the input is added.

    He et al. (2016), figure 5 right: the middle works on a quarter of the output's channels. As in
    the paper's own networks the first convolution takes the stride.

    Args:
        x: tensor (B, H, W, C).
        filters: channels in the middle; the output has four times as many.
        stride: step of the first convolution.

    Returns:
        Tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, 4·filters).

    Raises:
        ValueError: if filters or stride is not a whole number of at least 1.
    """
    check_positive(filters=filters, stride=stride)
    branch = layers.ReLU()(_normalised_convolution(x, filters, 1, stride))
    branch = layers.ReLU()(_normalised_convolution(branch, filters, 3))
    branch = _normalised_convolution(branch, 4 * filters, 1)
    return layers.ReLU()(layers.Add()([branch, _projection(x, 4 * filters, stride)]))


@keras.saving.register_keras_serializable("architectures")
class PaddedShortcut(layers.Layer):
    """Takes every stride-th pixel and appends channels of zeros: a shortcut without parameters.

    Args:
        filters: channels of the output, at least those of the input.
        stride: step along both sides.

    Raises:
        ValueError: if the input has more channels than filters.
    """

    def __init__(self, filters, stride=1, **kwargs):
        super().__init__(**kwargs)
        check_positive(filters=filters, stride=stride)
        self.filters = filters
        self.stride = stride

    def build(self, input_shape):
        if input_shape[-1] > self.filters:
            raise ValueError(
                f"filters is {self.filters} and the input has {input_shape[-1]} channels; "
                f"zeros can be appended, channels not be dropped"
            )

    def call(self, x):
        missing = self.filters - x.shape[-1]
        # Most shortcuts change nothing; a slice and a pad would copy the tensor all the same.
        if self.stride > 1:
            x = x[:, :: self.stride, :: self.stride]
        if missing:
            x = ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, missing]])
        return x

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        sides = (side if side is None else -(-side // self.stride) for side in (height, width))
        return (batch, *sides, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


def build_resnet(input_shape, num_classes, blocks=(2, 2, 2, 2), bottleneck=False):
    """A residual network for ImageNet (He et al., 2016, table 1).

    Args:
        input_shape: (H, W, C); the sides are divided by 32 on the way.
        num_classes: width of the logits.
        blocks: number of blocks in each stage, four in the paper; (2, 2, 2, 2) is ResNet-18,
            (3, 4, 6, 3) ResNet-34 and, of bottleneck blocks, ResNet-50.
        bottleneck: whether the stages are made of `bottleneck_block`.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: for a shape under 32×32, numbers that are not whole and positive, or no blocks.
    """
    _check_image(input_shape, 32)
    _check_stages(blocks)
    check_positive(num_classes=num_classes)
    block = bottleneck_block if bottleneck else residual_block
    inputs = keras.Input(input_shape)
    x = _imagenet_stem(inputs, 64)
    for stage, count in enumerate(blocks):
        for i in range(count):
            x = block(x, 64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1)
    return keras.Model(inputs, _classifier(x, num_classes), name="resnet")


def build_cifar_resnet(
    depth, input_shape=(32, 32, 3), num_classes=10, widths=(16, 32, 64), stem_stride=1
):
    """A residual network for small images (He et al., 2016, section 4.2), with option-A shortcuts.

    Args:
        depth: number of layers with weights on the longest path, 6n + 2.
        input_shape: (H, W, C).
        num_classes: width of the logits.
        widths: channels of the three stages.
        stem_stride: step of the first convolution, 1 in the paper.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: if depth is not 6n + 2, the shape is too small, or there are not three widths,
            of which none is smaller than the one before.
    """
    return _cifar_network(
        padded_residual_block, depth, input_shape, num_classes, widths, stem_stride
    )


def build_cifar_plain(
    depth, input_shape=(32, 32, 3), num_classes=10, widths=(16, 32, 64), stem_stride=1
):
    """The network of `build_cifar_resnet` without its shortcuts, of equal parameters.

    Args:
        depth, input_shape, num_classes, widths, stem_stride: see `build_cifar_resnet`.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: if depth is not 6n + 2, the shape is too small, or there are not three widths.
    """
    return _cifar_network(plain_block, depth, input_shape, num_classes, widths, stem_stride)


def inception_module(x, filters):
    """Four branches side by side, joined by their channels (Szegedy et al., 2015, figure 2b).

    Args:
        x: tensor (B, H, W, C).
        filters: six widths: 1×1, reduction before 3×3, 3×3, reduction before 5×5, 5×5, and the
            projection after pooling.

    Returns:
        Tensor (B, H, W, D), D the sum of the widths but the two reductions.

    Raises:
        ValueError: if filters are not six positive whole numbers.
    """
    one, reduce_three, three, reduce_five, five, projection = _six_widths(filters)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        _active_convolution(x, one, 1),
        _active_convolution(_active_convolution(x, reduce_three, 1), three, 3),
        _active_convolution(_active_convolution(x, reduce_five, 1), five, 5),
        _active_convolution(pooled, projection, 1),
    ]
    return layers.Concatenate()(branches)


def naive_inception_module(x, filters):
    """An `inception_module` without its 1×1 reductions and projection (the paper's figure 2a).

    Args:
        x: tensor (B, H, W, C).
        filters: as for `inception_module`, of which the reductions and the projection are not used.

    Returns:
        Tensor (B, H, W, D), D the sum of the 1×1, 3×3 and 5×5 widths and of C, which pooling keeps.

    Raises:
        ValueError: if filters are not six positive whole numbers.
    """
    one, _, three, _, five, _ = _six_widths(filters)
    branches = [
        _active_convolution(x, one, 1),
        _active_convolution(x, three, 3),
        _active_convolution(x, five, 5),
        layers.MaxPooling2D(3, strides=1, padding="same")(x),
    ]
    return layers.Concatenate()(branches)


def build_googlenet(input_shape, num_classes):
    """GoogLeNet (Szegedy et al., 2015, table 1) without local response normalisation.

    The two auxiliary classifiers, which only helped training, are left out too.

    Args:
        input_shape: (H, W, C); the sides are divided by 32 on the way.
        num_classes: width of the logits.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes). The output of each module is
        that of the layer "3a", …, "5b".

    Raises:
        ValueError: for a shape under 32×32, or if num_classes is not whole and positive.
    """
    _check_image(input_shape, 32)
    check_positive(num_classes=num_classes)
    inputs = keras.Input(input_shape)
    x = _halved(_active_convolution(inputs, 64, 7, stride=2))
    x = _active_convolution(_active_convolution(x, 64, 1), 192, 3)
    stage = 2
    for name, filters in GOOGLENET_MODULES.items():
        if int(name[0]) > stage:
            stage, x = int(name[0]), _halved(x)
        x = layers.Identity(name=name)(inception_module(x, filters))
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(num_classes)(x), name="googlenet")


def dense_block(x, num_layers, growth_rate, bottleneck=True):
    """Layers that each see the input and the outputs of all layers before them.

    Huang et al. (2017), section 3. A layer is batch normalisation, ReLU and a 3×3 convolution; its
    output is *appended* to the channels that it read.

    Args:
        x: tensor (B, H, W, C).
        num_layers: how many layers.
        growth_rate: channels k that each layer appends.
        bottleneck: whether a 1×1 convolution to 4k channels comes before each 3×3 (DenseNet-B).

    Returns:
        Tensor (B, H, W, C + num_layers·growth_rate).

    Raises:
        ValueError: if a number is not whole and positive.
    """
    check_positive(num_layers=num_layers, growth_rate=growth_rate)
    for _ in range(num_layers):
        x = layers.Concatenate()([x, _dense_layer(x, growth_rate, bottleneck)])
    return x


def chained_block(x, num_layers, growth_rate, bottleneck=True):
    """The layers of `dense_block` with nothing appended: each sees only the layer before it.

    This is what a "dense block" becomes if the concatenation is forgotten.

    Args:
        x, num_layers, growth_rate, bottleneck: see `dense_block`.

    Returns:
        Tensor (B, H, W, growth_rate).

    Raises:
        ValueError: if a number is not whole and positive.
    """
    check_positive(num_layers=num_layers, growth_rate=growth_rate)
    for _ in range(num_layers):
        x = _dense_layer(x, growth_rate, bottleneck)
    return x


def transition_block(x, compression=0.5):
    """Between dense blocks: fewer channels by a 1×1 convolution, then half the sides.

    Args:
        x: tensor (B, H, W, C).
        compression: share of the channels that is kept, in (0, 1]; the paper's θ.

    Returns:
        Tensor (B, ⌊H/2⌋, ⌊W/2⌋, ⌊compression·C⌋).

    Raises:
        ValueError: if compression is out of its range, or so small that no channel is kept.
    """
    check_in("(0, 1]", compression=compression)
    channels = int(x.shape[-1] * compression)
    if channels == 0:
        raise ValueError(f"compression is {compression!r}; it keeps none of {x.shape[-1]} channels")
    x = _preactivated_convolution(x, channels, 1)
    return layers.AveragePooling2D(2)(x)


def build_densenet(input_shape, num_classes, blocks=(6, 12, 24, 16), growth_rate=32):
    """A DenseNet-BC for ImageNet (Huang et al., 2017, table 1).

    Args:
        input_shape: (H, W, C); the sides are divided by 32 on the way.
        num_classes: width of the logits.
        blocks: layers in each dense block; (6, 12, 24, 16) is DenseNet-121.
        growth_rate: channels k that each layer appends; the stem has 2k.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: for a shape under 32×32, numbers that are not whole and positive, or no blocks.
    """
    _check_image(input_shape, 32)
    _check_stages(blocks)
    check_positive(num_classes=num_classes, growth_rate=growth_rate)
    inputs = keras.Input(input_shape)
    x = _imagenet_stem(inputs, 2 * growth_rate)
    x = _dense_stages(dense_block, x, blocks, growth_rate, True, 0.5)
    return keras.Model(inputs, _classifier(x, num_classes), name="densenet")


def build_cifar_densenet(
    depth,
    growth_rate=12,
    bottleneck=True,
    compression=0.5,
    input_shape=(32, 32, 3),
    num_classes=10,
    stem_stride=1,
    block=dense_block,
):
    """A DenseNet for small images: three dense blocks of equal length (Huang et al., 2017, § 4.2).

    Args:
        depth: number of layers with weights: 3n + 4, with bottlenecks 6n + 4.
        growth_rate: channels k that each layer appends.
        bottleneck: see `dense_block`.
        compression: see `transition_block`; DenseNet-BC has bottlenecks and 0.5.
        input_shape: (H, W, C).
        num_classes: width of the logits.
        stem_stride: step of the first convolution, 1 in the paper.
        block: builds each stage: `dense_block`, or `chained_block` for a network to compare.

    Returns:
        A `keras.Model` from (B, H, W, C) to logits (B, num_classes).

    Raises:
        ValueError: if the depth does not fit, the shape is too small, or a number is out of its
            range.
    """
    check_positive(
        depth=depth, growth_rate=growth_rate, num_classes=num_classes, stem_stride=stem_stride
    )
    _check_image(input_shape, 4 * stem_stride)
    unit = 6 if bottleneck else 3
    length = _units(depth, unit, 4)
    inputs = keras.Input(input_shape)
    # The paper starts with 16 channels, DenseNet-BC with 2k.
    stem = 2 * growth_rate if bottleneck and compression < 1 else 16
    x = layers.Conv2D(stem, 3, strides=stem_stride, padding="same", use_bias=False)(inputs)
    x = _dense_stages(block, x, (length,) * 3, growth_rate, bottleneck, compression)
    return keras.Model(inputs, _classifier(x, num_classes), name="cifar_densenet")


def _cifar_network(block, depth, input_shape, num_classes, widths, stem_stride):
    check_positive(depth=depth, num_classes=num_classes, stem_stride=stem_stride)
    _check_image(input_shape, 4 * stem_stride)
    if len(widths) != 3:
        raise ValueError(f"widths is {tuple(widths)!r}; it needs three, one for each stage")
    check_positive(**{f"widths[{i}]": width for i, width in enumerate(widths)})
    length = _units(depth, 6, 2)
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(_normalised_convolution(inputs, widths[0], 3, stem_stride))
    for stage, filters in enumerate(widths):
        for i in range(length):
            x = block(x, filters, stride=2 if stage > 0 and i == 0 else 1)
    return keras.Model(inputs, _classifier(x, num_classes), name=f"cifar_{depth}")


def _dense_stages(block, x, blocks, growth_rate, bottleneck, compression):
    for stage, num_layers in enumerate(blocks):
        if stage > 0:
            x = transition_block(x, compression)
        x = block(x, num_layers, growth_rate, bottleneck)
    return layers.ReLU()(_normalisation()(x))


def _dense_layer(x, growth_rate, bottleneck):
    if bottleneck:
        x = _preactivated_convolution(x, 4 * growth_rate, 1)
    return _preactivated_convolution(x, growth_rate, 3)


def _imagenet_stem(x, filters):
    return _halved(layers.ReLU()(_normalised_convolution(x, filters, 7, 2)))


def _halved(x):
    # Padded with zeros on both sides as in the papers; they follow a ReLU, so none wins.
    return layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))


def _classifier(x, num_classes):
    return layers.Dense(num_classes)(layers.GlobalAveragePooling2D()(x))


def _basic_branch(x, filters, stride):
    check_positive(filters=filters, stride=stride)
    x = layers.ReLU()(_normalised_convolution(x, filters, 3, stride))
    return _normalised_convolution(x, filters, 3)


def _projection(x, filters, stride):
    if stride == 1 and x.shape[-1] == filters:
        return x
    return _normalised_convolution(x, filters, 1, stride)


def _normalised_convolution(x, filters, size, stride=1):
    return _normalisation()(_convolution(x, filters, size, stride, use_bias=False))


def _preactivated_convolution(x, filters, size):
    return _convolution(layers.ReLU()(_normalisation()(x)), filters, size, use_bias=False)


def _active_convolution(x, filters, size, stride=1):
    return layers.ReLU()(_convolution(x, filters, size, stride, use_bias=True))


def _convolution(x, filters, size, stride=1, *, use_bias):
    # With a stride, Keras' "same" pads the far sides alone; the published networks pad all four.
    if stride > 1 and size > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    padding = "valid" if stride > 1 else "same"
    convolution = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer="he_normal",
    )
    return convolution(x)


def _normalisation():
    # Keras' momentum of 0.99 lags for hundreds of steps behind a network that learns quickly.
    return layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)


def _six_widths(filters):
    if len(filters) != 6:
        raise ValueError(
            f"filters is {tuple(filters)!r}; it needs six widths: 1×1, 3×3 reduction, 3×3, "
            f"5×5 reduction, 5×5, pool projection"
        )
    check_positive(**{f"filters[{i}]": width for i, width in enumerate(filters)})
    return filters


def _units(depth, unit, rest):
    length, left = divmod(depth - rest, unit)
    if left or length < 1:
        near = [unit * n + rest for n in (max(length, 1), max(length, 1) + 1)]
        raise ValueError(
            f"depth is {depth}; it must be {unit}n + {rest}, for example {near[0]} or {near[1]}"
        )
    return length


def _check_stages(blocks):
    if len(blocks) == 0:
        raise ValueError(f"blocks is {blocks!r}; it needs a number for each stage")
    for count in blocks:
        check_positive(blocks=count)


def _check_image(input_shape, least):
    shape = tuple(input_shape)
    whole = all(isinstance(side, numbers.Integral) and side >= 1 for side in shape)
    if len(shape) != 3 or not whole:
        raise ValueError(f"input_shape is {shape}; it must be (height, width, channels)")
    if min(shape[:2]) < least:
        raise ValueError(f"input_shape is {shape}; both sides must be at least {least} pixels")
