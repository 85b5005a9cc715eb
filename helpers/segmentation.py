"""U-Net (Ronneberger et al., 2015), its loss, and what belongs to images with masks.

Images are (B, H, W, C) in [0, 1]; masks are whole numbers (B, H, W), 0 for background.
"""

from helpers.arguments import check_halvings, check_in, check_positive, check_whole_number

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage


def build_unet(input_shape, num_classes, filters=64, depth=4):
    """U-Net: a way down, a way up, and on each level a skip that carries detail across.

    With the default widths it is the network of the paper but for three things: borders are
    padded, so that the mask is as large as the image, each 3×3 convolution is followed by batch
    normalisation, and there is no dropout at the bottom.

    Args:
        input_shape: (H, W, C), H and W multiples of 2^depth; None for sides that may vary.
        num_classes: channels of the output, background among them.
        filters: channels of the first level; each level down has twice as many.
        depth: how often the sides are halved.

    Returns:
        A `keras.Model` to logits (B, H, W, num_classes).

    Raises:
        ValueError: if the shape is no (H, W, C), a side is no multiple of 2^depth, or a number is
            not whole and positive.
    """
    inputs = _input(input_shape, num_classes, filters, depth)
    x, across = way_down(inputs, filters, depth)
    for detail in reversed(across):
        x = layers.Conv2DTranspose(detail.shape[-1], 2, 2)(x)
        x = layers.Concatenate()([detail, x])
        x = double_convolution(x, detail.shape[-1])
    return keras.Model(inputs, layers.Conv2D(num_classes, 1)(x))


def build_without_skips(input_shape, num_classes, filters=64, depth=4):
    """`build_unet` with nothing carried across: an encoder and a decoder.

    Args:
        input_shape, num_classes, filters, depth: see `build_unet`.

    Returns:
        A `keras.Model` to logits (B, H, W, num_classes).
    """
    inputs = _input(input_shape, num_classes, filters, depth)
    x, across = way_down(inputs, filters, depth)
    for detail in reversed(across):
        x = layers.Conv2DTranspose(detail.shape[-1], 2, 2)(x)
        x = double_convolution(x, detail.shape[-1])
    return keras.Model(inputs, layers.Conv2D(num_classes, 1)(x))


def way_down(x, filters, depth):
    """The left half of the U: halves the sides `depth` times and doubles the channels.

    Args:
        x: tensor (B, H, W, C).
        filters: channels of the first level.
        depth: how often the sides are halved.

    Returns:
        The deepest tensor (B, H / 2^depth, W / 2^depth, filters · 2^depth), and the list of what
        each level saw before its sides were halved, the first level first.
    """
    across = []
    for level in range(depth):
        x = double_convolution(x, filters * 2**level)
        across.append(x)
        x = layers.MaxPooling2D()(x)
    return double_convolution(x, filters * 2**depth), across


def double_convolution(x, filters):
    """Two 3×3 convolutions, each with batch normalisation and ReLU.

    Args:
        x: tensor (B, H, W, C).
        filters: channels of the output.

    Returns:
        Tensor (B, H, W, filters).
    """
    for _ in range(2):
        x = layers.Conv2D(
            filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal"
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x


@keras.saving.register_keras_serializable("helpers")
class SoftDiceLoss(keras.losses.Loss):
    """1 − Dice of the foreground's probability, over the whole batch (Milletari et al., 2016).

    The paper sums squares below the line; plain sums have become usual.

    Args:
        smoothing: added above and below; without it a batch without foreground divides 0 by 0.

    Raises:
        ValueError: if the smoothing is below 0; on its first use, if the masks do not fit the
            logits or there is one class only, whose probability would be 1 everywhere.
    """

    def __init__(self, smoothing=1.0, name="soft_dice_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        check_in("[0, ∞)", smoothing=smoothing)
        self.smoothing = smoothing

    def call(self, y_true, y_pred):
        """Loss of masks (B, H, W) and logits (B, H, W, classes); a class above 0 is foreground."""
        _check_logits(y_true, y_pred)
        truth = ops.cast(y_true > 0, y_pred.dtype)
        foreground = 1 - ops.softmax(y_pred)[..., 0]
        shared = ops.sum(truth * foreground)
        total = ops.sum(truth) + ops.sum(foreground)
        return 1 - (2 * shared + self.smoothing) / (total + self.smoothing)

    def get_config(self):
        return super().get_config() | {"smoothing": self.smoothing}


@keras.saving.register_keras_serializable("helpers")
class WeightedCrossentropy(keras.losses.Loss):
    """Cross-entropy of each pixel, in nats, with a weight for each class.

    Args:
        weights: one number for each class; the loss is the mean over pixels weighted by them.

    Raises:
        ValueError: if a weight is below 0; on its first use, if there are not as many weights as
            the logits have classes or the masks do not fit the logits.
    """

    def __init__(self, weights, name="weighted_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.weights = list(map(float, weights))
        if not all(weight >= 0 for weight in self.weights):
            raise ValueError(f"weights is {self.weights}; each must be at least 0")

    def call(self, y_true, y_pred):
        """Loss of masks (B, H, W) and logits (B, H, W, classes)."""
        _check_logits(y_true, y_pred)
        if len(self.weights) != (classes := y_pred.shape[-1]):
            raise ValueError(
                f"weights has {len(self.weights)} numbers; the logits have {classes} classes"
            )
        y_true = ops.cast(y_true, "int32")
        each = keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        weights = ops.take(ops.convert_to_tensor(self.weights, y_pred.dtype), y_true)
        return ops.sum(weights * each) / ops.sum(weights)

    def get_config(self):
        return super().get_config() | {"weights": self.weights}


@keras.saving.register_keras_serializable("helpers")
class CrossentropyAndDice(keras.losses.Loss):
    """The sum of `WeightedCrossentropy` and `SoftDiceLoss`.

    Args:
        weights: one number for each class, for the cross-entropy.
    """

    def __init__(self, weights, name="crossentropy_and_dice", **kwargs):
        super().__init__(name=name, **kwargs)
        self.parts = WeightedCrossentropy(weights), SoftDiceLoss()

    def call(self, y_true, y_pred):
        """Loss of masks (B, H, W) and logits (B, H, W, classes)."""
        return sum(part(y_true, y_pred) for part in self.parts)

    def get_config(self):
        return super().get_config() | {"weights": self.parts[0].weights}


class MaskStream(keras.utils.PyDataset):
    """Images with masks for training, drawn anew for each epoch.

    Args:
        draw: function from the epoch's number, 0, 1, 2 …, to images (n, H, W, C) and masks
            (n, H, W); n is the same each time.
        num_classes: number of classes.
        batch_size: pairs in a batch; what is left over at the end of an epoch is dropped.

    Raises:
        ValueError: if the masks do not fit the images, a label is out of range or no whole number,
            or n is too small.
    """

    def __init__(self, draw, num_classes, batch_size=16, **kwargs):
        super().__init__(**kwargs)
        check_positive(num_classes=num_classes, batch_size=batch_size)
        self.draw, self.num_classes, self.batch_size = draw, num_classes, batch_size
        self.epoch = -1
        self.on_epoch_end()

    def __len__(self):
        return len(self.images) // self.batch_size

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.images[part], self.masks[part]

    def on_epoch_end(self):
        self.epoch += 1
        images, masks = map(np.asarray, self.draw(self.epoch))
        _check_pairs(images, masks)
        check_whole_number("the number of images drawn", len(images), self.batch_size)
        if not 0 <= masks.min() <= masks.max() < self.num_classes:
            raise ValueError(
                f"masks hold classes from {masks.min()} to {masks.max()}; with {self.num_classes} "
                f"classes they must be from 0 to {self.num_classes - 1}"
            )
        if np.any(masks % 1):
            raise ValueError(
                f"masks hold {masks[masks % 1 != 0][0]:g}; a class is a whole number (was the mask "
                f"interpolated?)"
            )
        self.images, self.masks = images, masks


def paired_augmentation(images, masks, rng):
    """Turns and mirrors images and their masks alike, each pair in its own way.

    The eight symmetries of a square move pixels and invent none, so no mask gets a new class.

    Args:
        images: (n, S, S, C).
        masks: (n, S, S).
        rng: a `numpy.random.Generator`.

    Returns:
        Images and masks of the same shapes.

    Raises:
        ValueError: if the masks do not fit the images or the pictures are not square.
    """
    images, masks = np.asarray(images), np.asarray(masks)
    if images.ndim != 4 or masks.shape != images.shape[:3] or len({*images.shape[1:3]}) != 1:
        raise ValueError(
            f"images has shape {images.shape} and masks {masks.shape}; they must be (n, S, S, C) "
            f"and (n, S, S)"
        )
    images, masks = images.copy(), masks.copy()
    chosen = rng.integers(8, size=len(images))
    for symmetry in range(8):
        mine = chosen == symmetry
        for pictures in (images, masks):
            turned = np.rot90(pictures[mine], symmetry % 4, axes=(1, 2))
            pictures[mine] = turned[:, :, ::-1] if symmetry >= 4 else turned
    return images, masks


def random_crops(images, masks, count, size, rng):
    """Cuts squares out of images and their masks at the same random places.

    Args:
        images: (n, H, W, C).
        masks: (n, H, W).
        count: number of squares.
        size: their side, at most H and W.
        rng: a `numpy.random.Generator`.

    Returns:
        Images (count, size, size, C) and masks (count, size, size).

    Raises:
        ValueError: if the masks do not fit the images, the square is too large, or count or size
            is no whole number of at least 1.
    """
    images, masks = np.asarray(images), np.asarray(masks)
    _check_pairs(images, masks)
    check_whole_number("size", size, 1, min(images.shape[1:3]))
    check_positive(count=count)
    which = rng.integers(len(images), size=count)
    top = rng.integers(images.shape[1] - size + 1, size=count)
    left = rng.integers(images.shape[2] - size + 1, size=count)
    rows = (top[:, None] + np.arange(size))[:, :, None]
    columns = (left[:, None] + np.arange(size))[:, None, :]
    which = which[:, None, None]
    return images[which, rows, columns], masks[which, rows, columns]


def predict_in_tiles(model, image, tile=128, overlap=32):
    """Probabilities for an image of any size, from tiles that overlap.

    Near a tile's edge the network sees too little. So the tiles' answers are averaged with weights
    that fall towards their edges. Where the last tiles reach out of the image, at the bottom and on
    the right, it is mirrored.

    Args:
        model: see `build_unet`; it must take tiles of that size.
        image: (H, W, C).
        tile: side of the tiles, more than twice the overlap.
        overlap: pixels that neighbours share; with 0 the tiles lie side by side.

    Returns:
        float32 (H, W, classes); each pixel's numbers sum to 1.

    Raises:
        ValueError: if the image is no (H, W, C), the tile is no whole number of at least 1 or the
            overlap is too large.
    """
    image = np.asarray(image, "float32")
    if image.ndim != 3:
        raise ValueError(f"image has shape {image.shape}; it must be (H, W, C)")
    check_positive(tile=tile)
    check_whole_number("overlap", overlap, 0, (tile - 1) // 2)
    step = tile - overlap
    height, width = image.shape[:2]
    tops, lefts = (np.arange(0, max(side - overlap, 1), step) for side in (height, width))
    padding = [
        (0, int(places[-1]) + tile - side) for places, side in ((tops, height), (lefts, width))
    ]
    padded = np.pad(image, [*padding, (0, 0)], mode="symmetric")
    places = [(top, left) for top in tops for left in lefts]
    tiles = np.stack([padded[top : top + tile, left : left + tile] for top, left in places])
    answers = np.asarray(ops.softmax(model.predict(tiles, batch_size=8, verbose=0)))
    ramp = np.minimum(np.arange(1, tile + 1), np.arange(tile, 0, -1)).clip(max=max(overlap, 1))
    weight = np.outer(ramp, ramp)[..., None].astype("float32")
    total = np.zeros((*padded.shape[:2], answers.shape[-1]), "float32")
    weights = np.zeros((*padded.shape[:2], 1), "float32")
    for (top, left), answer in zip(places, answers, strict=True):
        total[top : top + tile, left : left + tile] += weight * answer
        weights[top : top + tile, left : left + tile] += weight
    return (total / weights)[:height, :width]


def boundary_band(masks, width=1):
    """Where the class changes: True if the square window around a pixel holds two classes.

    Args:
        masks: (n, H, W).
        width: pixels of the window on each side of its middle.

    Returns:
        Booleans (n, H, W).

    Raises:
        ValueError: if the masks have another shape or the width is no whole number of at least 1.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3:
        raise ValueError(f"masks has shape {masks.shape}; it must be (n, H, W)")
    check_positive(width=width)
    window = (1, 2 * width + 1, 2 * width + 1)
    return ndimage.maximum_filter(masks, window) != ndimage.minimum_filter(masks, window)


def inside_and_rim(instances):
    """Three classes from numbered objects: 0 for background, 1 for inside, 2 for the rim.

    The rim is an object's outermost pixel line. It runs between objects that touch, and so keeps
    apart what a mask of foreground would join.

    Args:
        instances: whole numbers (n, H, W), 0 for background, another number for each object.

    Returns:
        int32 (n, H, W).

    Raises:
        ValueError: if the instances have another shape.
    """
    if np.ndim(instances) != 3:
        raise ValueError(f"instances has shape {np.shape(instances)}; it must be (n, H, W)")
    objects = np.asarray(instances) > 0
    return (objects.astype("int32") + (objects & boundary_band(instances))).astype("int32")


def otsu_threshold(image, bins=256):
    """The grey that parts an image into two groups as far apart as can be (Otsu, 1979).

    Of all thresholds it is the one with the largest variance between the groups, which is the
    product of their shares of the pixels and of the squared distance of their means.

    Args:
        image: array of any shape.
        bins: how many equal steps the greys from the darkest pixel to the brightest are put in; the
            threshold is the middle of a step.

    Returns:
        A number; pixels above it are the bright group.

    Raises:
        ValueError: if all pixels are equal: there are no two groups; if there are fewer than two
            bins.
    """
    check_whole_number("bins", bins, 2)
    if np.min(image) == np.max(image):
        raise ValueError(f"image is {np.min(image):g} everywhere; there is nothing to part")
    counts, edges = np.histogram(image, bins)
    greys = (edges[:-1] + edges[1:]) / 2
    dark = np.cumsum(counts)[:-1]
    bright = counts.sum() - dark
    sums = np.cumsum(counts * greys)
    distance = sums[:-1] / dark - (sums[-1] - sums[:-1]) / bright
    return float(greys[np.argmax(dark * bright * distance**2)])


def count_components(mask, least=1):
    """Counts the connected regions of a mask; pixels that touch at a corner are connected.

    Args:
        mask: booleans (H, W).
        least: pixels of the smallest region that counts; what is smaller is dust.

    Returns:
        A whole number.

    Raises:
        ValueError: if the mask is no (H, W) or `least` is no whole number of at least 1.
    """
    if np.ndim(mask) != 2:
        raise ValueError(f"mask has shape {np.shape(mask)}; it must be (H, W): one at a time")
    check_positive(least=least)
    regions, count = ndimage.label(np.asarray(mask, bool), np.ones((3, 3)))
    return int(np.sum(np.bincount(regions.ravel(), minlength=count + 1)[1:] >= least))


def _input(input_shape, num_classes, filters, depth):
    check_positive(num_classes=num_classes, filters=filters, depth=depth)
    if len(input_shape) != 3:
        raise ValueError(f"input_shape is {tuple(input_shape)}; it must be (H, W, C)")
    check_halvings("input_shape", input_shape, depth, f"depth {depth}")
    return keras.Input(input_shape)


def _check_pairs(images, masks):
    if images.ndim != 4 or masks.shape != images.shape[:3]:
        raise ValueError(
            f"images has shape {images.shape} and masks {masks.shape}; they must be (n, H, W, C) "
            f"and (n, H, W)"
        )


def _check_logits(y_true, y_pred):
    # Masks with an axis too many would be broadcast, and the loss be a wrong number in silence.
    if len(y_pred.shape) != 4 or len(y_true.shape) != 3 or y_pred.shape[-1] == 1:
        raise ValueError(
            f"y_true has shape {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}; they must "
            f"be masks (B, H, W) and logits (B, H, W, classes) of at least 2 classes"
        )
