"""Object detection: boxes, their overlap, a small one-stage detector, and how detectors are scored.

Boxes are (x_min, y_min, x_max, y_max) in pixels, x to the right and y downwards. A box's area is
(x_max − x_min)(y_max − y_min), so a box that holds one pixel is one wide. Predictions and truths
of a set of images are lists of one dict an image: `boxes` (k, 4), `labels` (k,), and for
predictions `scores` (k,).
"""

import contextlib
import math
import sys
from typing import NamedTuple

from helpers import data, plots
from helpers.arguments import check_in, check_positive, check_whole_number, differ
from helpers.losses import focal_terms

import ipywidgets
import keras
import numpy as np
from IPython.display import display
from keras import layers, ops
from scipy.special import expit

#: COCO's thresholds (Lin et al., 2014).
IOU_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

_RECALLS = np.linspace(0, 1, 101)
_MOST_DETECTIONS = 100  # of one class in one image, COCO's limit
_BLOCK = 128


def box_area(boxes):
    """Areas (n,) of boxes (n, 4), in square pixels."""
    boxes = _boxes("boxes", boxes)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def box_iou(a, b):
    """Intersection over union of each box of one set with each of another.

    Args:
        a, b: boxes (n, 4) and (m, 4).

    Returns:
        float64 array (n, m) in [0, 1]; 0 where both boxes are empty.

    Raises:
        ValueError: if an array is no set of boxes, or a box has its corners the wrong way round.
    """
    return _iou(_boxes("a", a).T[:, :, None], _boxes("b", b).T[:, None])


def non_max_suppression(boxes, scores, iou_threshold=0.5):
    """Keeps the best of boxes that overlap: a box goes if a better one that stays overlaps it more.

    Args:
        boxes: (n, 4), of one image and one class (see `suppress_by_class`).
        scores: (n,).
        iou_threshold: the most overlap, computed in float32, that two kept boxes may have; in
            [0, 1].

    Returns:
        Indices of the kept boxes by falling score; of equal scores, the earlier box comes first.

    Raises:
        ValueError: if the boxes and scores do not fit, or the threshold is out of range.
    """
    boxes, scores = _boxes("boxes", boxes), _scores("scores", scores, len(boxes))
    check_in("[0, 1]", iou_threshold=iou_threshold)
    order = np.argsort(-scores, kind="stable")
    sides = np.ascontiguousarray(boxes[order].T, dtype="float32")
    kept = np.zeros(0, int)
    # In blocks, so that boxes are compared with the kept ones before them, not with all.
    for start in range(0, len(boxes), _BLOCK):
        block = sides[:, start : start + _BLOCK]
        covered = _iou(sides[:, kept, None], block[:, None]) > iou_threshold
        free = np.flatnonzero(~covered.any(axis=0))
        block = block[:, free]
        suppresses = np.triu(_iou(block[..., None], block[:, None]) > iou_threshold, k=1)
        stays = np.ones(len(free), bool)
        # Each round settles at least one more box: the first whose better ones are all settled.
        while np.any(stays != (stays := ~suppresses[stays].any(axis=0))):
            pass
        kept = np.append(kept, start + free[stays])
    return order[kept]


def suppress_by_class(boxes, scores, labels, iou_threshold=0.5):
    """`non_max_suppression` in which boxes of different classes leave each other alone.

    Args:
        boxes, scores, labels: (n, 4), (n,) and (n,), of one image.
        iou_threshold: the most overlap that two kept boxes of a class may have.

    Returns:
        Indices of the kept boxes by falling score.

    Raises:
        ValueError: if the boxes, scores and labels do not fit, or the threshold is out of range.
    """
    boxes = _boxes("boxes", boxes)
    labels, scores = _labels("labels", labels, len(boxes)), _scores("scores", scores, len(boxes))
    check_in("[0, 1]", iou_threshold=iou_threshold)
    kept = [np.zeros(0, int)]
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        kept.append(mine[non_max_suppression(boxes[mine], scores[mine], iou_threshold)])
    kept = np.sort(np.concatenate(kept))
    return kept[np.argsort(-scores[kept], kind="stable")]


def mean_average_precision(predictions, truths, iou_thresholds=IOU_THRESHOLDS):
    """Mean average precision as COCO defines it (Lin et al., 2014).

    For each class and threshold, detections are taken by falling score. One is right if it overlaps
    a truth of its class and image, that no better one has taken, by at least the threshold; of
    several it takes the one that it overlaps most. The average precision is the mean, over the
    recalls 0, 0.01 … 1, of the best precision at that recall or a higher one. It is averaged over
    thresholds, and over the classes that occur in the truths. Of each class, the 100 best
    detections of an image count.

    Args:
        predictions: list of dicts with `boxes`, `labels` and `scores`, one an image.
        truths: list of dicts with `boxes` and `labels`, in the same order.
        iou_thresholds: overlaps that count as found, each above 0 and at most 1.

    Returns:
        Dict with `map`; `map50`, at the threshold 0.5 alone, which has to be among the thresholds;
        `per_class`, a dict from label to that class's mean over the thresholds; `per_class50`. NaN
        where there is nothing to average.

    Raises:
        ValueError: if the lists do not fit, or an image's entries do not.
    """
    thresholds = np.array(iou_thresholds, "float64").ravel()
    found = _match(predictions, truths, thresholds)
    scores = {
        int(label): np.array([_average_precision(*curve) for curve in _curves(found, label)])
        for label in np.unique(found.truth_labels)
    }
    at_half = {
        label: _mean(values[np.isclose(thresholds, 0.5)]) for label, values in scores.items()
    }
    return {
        "map": _mean(list(scores.values())),
        "map50": _mean(list(at_half.values())),
        "per_class": {label: _mean(values) for label, values in scores.items()},
        "per_class50": at_half,
    }


def precision_recall(predictions, truths, label, iou_threshold=0.5):
    """Precision and recall of a class when more and more of its detections are believed.

    Args:
        predictions, truths: as for `mean_average_precision`.
        label: the class.
        iou_threshold: the overlap that counts as found, above 0 and at most 1.

    Returns:
        recall, precision and score, arrays (n,): row k tells of the k + 1 best detections, the
        last of which has that score.

    Raises:
        ValueError: if no truth has that label, or an argument does not fit.
    """
    check_in("[0, 1]", iou_threshold=iou_threshold)
    found = _match(predictions, truths, np.array([iou_threshold], "float64"))
    if label not in found.truth_labels:
        raise ValueError(f"label is {label!r}; none of the truths has it")
    [(recall, precision)] = _curves(found, label)
    return recall, precision, np.sort(found.scores[found.labels == label])[::-1]


def error_kinds(predictions, truths, iou_threshold=0.5, least_overlap=0.1):
    """Sorts what a detector says, and what it misses, into kinds (after Bolya et al., 2020).

    Each detection, by falling score within its image, is the first of these that fits:
    "right"; "twice" (its truth was already found); "wrong class" (on a truth of another class);
    "badly placed" (overlaps a truth of its class, by less than the threshold and at least by
    `least_overlap`); "nothing there". A truth that no detection found right is "missed".

    Args:
        predictions, truths: as for `mean_average_precision`; only detections that one would
            show should be in it.
        iou_threshold: the overlap that counts as found, above 0 and at most 1.
        least_overlap: from which on a box is meant for a truth, above 0 and at most iou_threshold.

    Returns:
        Dict from kind to count.

    Raises:
        ValueError: if the lists do not fit, or a threshold is out of its range.
    """
    check_in("[0, 1]", iou_threshold=iou_threshold)
    if not 0 < least_overlap <= iou_threshold:
        raise ValueError(
            f"least_overlap is {least_overlap}; it must be above 0 and at most iou_threshold, "
            f"{iou_threshold}"
        )
    thresholds = np.array([iou_threshold], "float64")
    found = _match(predictions, truths, thresholds)
    counts = dict.fromkeys(
        ("right", "twice", "wrong class", "badly placed", "nothing there", "missed"), 0
    )
    right = found.right[0]
    counts["right"] = int(right.sum())
    counts["missed"] = len(found.truth_labels) - counts["right"]
    for image, truth in enumerate(truths):
        wrong = (found.images == image) & ~right
        overlap = box_iou(found.boxes[wrong], truth["boxes"])
        same = found.labels[wrong][:, None] == np.asarray(truth["labels"])
        own = np.max(overlap * same, axis=1, initial=0)
        other = np.max(overlap * ~same, axis=1, initial=0)
        kinds = np.select(
            [own >= iou_threshold, other >= iou_threshold, own >= least_overlap],
            ["twice", "wrong class", "badly placed"],
            "nothing there",
        )
        for kind in kinds:
            counts[str(kind)] += 1
    return counts


def cell_centres(size, stride=8):
    """The middles (x, y) of a grid's cells, row by row, float32 ((size/stride)², 2), in pixels.

    Raises:
        ValueError: if the cells do not tile the image.
    """
    check_positive(size=size, stride=stride)
    if size % stride:
        raise ValueError(f"size is {size}; it must be a multiple of the stride, {stride}")
    middles = np.arange(stride / 2, size, stride, dtype="float32")
    return np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)


def centre_targets(boxes, labels, centres, radius=6.0):
    """What each cell of a grid should say: which object it stands for (after Tian et al., 2019).

    A cell stands for the object whose middle is nearest, if that is within `radius` and the cell's
    own middle lies in the object's box. So that small objects are not lost, the cell nearest to an
    object's middle stands for it in any case, unless it is also the nearest of an object whose
    middle is nearer still.

    Args:
        boxes: (n, k, 4).
        labels: (n, k), whole numbers; below 0 where there is no object.
        centres: (cells, 2), see `cell_centres`.
        radius: pixels, not negative.

    Returns:
        float32 (n, cells, 5): the label, −1 for background, and the box, zeros for background.

    Raises:
        ValueError: if the shapes do not fit, or a box of an object is empty or lies outside.
    """
    boxes, labels = _objects(boxes, labels, centres, radius)
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = np.linalg.norm(middles[:, :, None] - centres, axis=-1)  # (n, k, cells)
    inside = (centres > boxes[:, :, None, :2]).all(-1) & (centres < boxes[:, :, None, 2:]).all(-1)
    nearest = distance == distance.min(axis=2, keepdims=True)
    fits = (labels >= 0)[..., None] & (nearest | (inside & (distance <= radius)))
    # An object's own cell goes before another object's radius.
    cost = np.where(fits, distance - 1e4 * nearest, np.inf)
    owner = cost.argmin(axis=1)
    taken = np.take_along_axis(fits, owner[:, None], axis=1)[:, 0]
    targets = np.concatenate([labels[..., None].astype("float32"), boxes], axis=-1)
    targets = np.take_along_axis(targets, owner[..., None], axis=1)
    return np.where(taken[..., None], targets, np.float32([-1, 0, 0, 0, 0]))


@keras.saving.register_keras_serializable("helpers")
class DecodeBoxes(layers.Layer):
    """Turns what a grid's cells say, four numbers each, into boxes.

    A cell says how far the four sides of its object are from the cell's middle, as logarithms in
    units of the stride: (B, cells, 4) becomes boxes (B, cells, 4) in pixels.

    Args:
        size: the image's side in pixels.
        stride: the cells' side.
    """

    def __init__(self, size, stride=8, **kwargs):
        super().__init__(**kwargs)
        self.size, self.stride = size, stride
        self.centres = cell_centres(size, stride)

    def call(self, distances):
        # exp(4) strides are more than any image here; without a limit the first steps may overflow.
        left, top, right, bottom = ops.split(
            self.stride * ops.exp(ops.clip(distances, -4, 4)), 4, axis=-1
        )
        x, y = self.centres[:, :1], self.centres[:, 1:]
        return ops.concatenate([x - left, y - top, x + right, y + bottom], axis=-1)

    def get_config(self):
        return super().get_config() | {"size": self.size, "stride": self.stride}


def build_detector(size, num_classes, widths=(16, 32, 64), prior=0.02):
    """A one-stage detector without anchors: each cell says a class and a box (Tian et al., 2019).

    Two 3×3 convolutions for each width, the first of which halves the sides, so a cell is
    2^len(widths) pixels wide. The class head begins with `prior` for each class: otherwise the
    many cells of background swamp the first steps (Lin et al., 2017).

    Args:
        size: side of the grey images (B, size, size, 1), in [0, 1].
        num_classes: number of classes.
        widths: channels at each resolution, of which there is at least one.
        prior: the probability that the untrained detector gives each class, in (0, 1).

    Returns:
        A `keras.Model` to (B, cells, num_classes + 4): logits, then the box in pixels.

    Raises:
        ValueError: if the cells do not tile the image, or an argument is out of its range.
    """
    check_positive(num_classes=num_classes, **{f"widths[{i}]": w for i, w in enumerate(widths)})
    check_in("(0, 1)", prior=prior)
    if not len(widths):
        raise ValueError("widths is empty; there must be at least one")
    stride = 2 ** len(widths)
    cells = len(cell_centres(size, stride))
    inputs = x = keras.Input((size, size, 1))
    for width in widths:
        x = _convolution(_convolution(x, width, 2), width)
    x = _convolution(x, widths[-1])
    bias = keras.initializers.Constant(-math.log((1 - prior) / prior))
    logits = layers.Conv2D(num_classes, 3, padding="same", bias_initializer=bias)(x)
    distances = layers.Conv2D(4, 3, padding="same", name="distances")(x)
    boxes = DecodeBoxes(size, stride)(layers.Reshape((cells, 4))(distances))
    return keras.Model(
        inputs, layers.Concatenate()([layers.Reshape((cells, num_classes))(logits), boxes])
    )


@keras.saving.register_keras_serializable("helpers")
class DetectionLoss(keras.losses.Loss):
    """Focal loss for the classes and 1 − GIoU for the boxes, per object.

    Focal loss (Lin et al., 2017), −α (1 − p)^γ log p for the cell's own class and
    −(1 − α) p^γ log(1 − p) for each other, summed over cells and classes; 1 − GIoU summed over the
    cells that stand for an object. Both are divided by the number of those cells in the batch.

    Args:
        alpha: weight of the positive terms, in [0, 1].
        gamma: how strongly easy terms fade, not negative; 0 gives weighted cross-entropy.
    """

    def __init__(self, alpha=0.5, gamma=2.0, name="detection_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        check_in("[0, 1]", alpha=alpha)
        check_in("[0, ∞)", gamma=gamma)
        self.alpha, self.gamma = alpha, gamma

    def call(self, y_true, y_pred):
        _check_answers(y_true, y_pred)
        logits, boxes = y_pred[..., :-4], y_pred[..., -4:]
        wanted = ops.one_hot(ops.cast(y_true[..., 0], "int32"), logits.shape[-1])
        positive = ops.cast(y_true[..., 0] >= 0, logits.dtype)
        objects = ops.maximum(ops.sum(positive), 1)
        focal = ops.sum(focal_terms(wanted, logits, self.gamma, self.alpha))
        placing = ops.sum(positive * (1 - generalised_iou(y_true[..., 1:], boxes)))
        return (focal + placing) / objects

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha, "gamma": self.gamma}


def generalised_iou(a, b):
    """IoU less the part of the pair's hull that neither fills (Rezatofighi et al., 2019).

    Where boxes do not meet, IoU is 0 and has no slope; this one grows as they come nearer.

    Args:
        a, b: tensors (…, 4) of boxes, pair by pair: each of a with the one at its place in b.

    Returns:
        Tensor (…,) in [−1, 1].

    Raises:
        ValueError: if the shapes differ, which would broadcast.
    """
    a, b = _pairs(a, b)
    low, high = ops.maximum(a[..., :2], b[..., :2]), ops.minimum(a[..., 2:], b[..., 2:])
    hull = ops.maximum(a[..., 2:], b[..., 2:]) - ops.minimum(a[..., :2], b[..., :2])
    shared = ops.prod(ops.maximum(high - low, 0), axis=-1)
    areas = ops.prod(a[..., 2:] - a[..., :2], axis=-1) + ops.prod(b[..., 2:] - b[..., :2], axis=-1)
    union, hull = areas - shared, ops.prod(hull, axis=-1)
    tiny = keras.config.epsilon()
    return shared / ops.maximum(union, tiny) - (hull - union) / ops.maximum(hull, tiny)


class SceneStream(keras.utils.PyDataset):
    """Digit scenes with their targets, new ones in each epoch.

    Args:
        count: scenes in an epoch; a multiple of the batch size.
        size: side of a scene in pixels.
        batch_size: scenes in a batch.
        stride: side of the detector's cells.
        seed: selects the scenes.

    Raises:
        ValueError: if an argument is out of its range, or batches or cells do not fit.
    """

    def __init__(self, count, size, batch_size=32, stride=8, seed=0, **kwargs):
        super().__init__(**kwargs)
        check_positive(batch_size=batch_size)
        check_whole_number("count", count, batch_size)
        if count % batch_size:
            raise ValueError(f"count is {count}; it must be a multiple of batch_size, {batch_size}")
        self.count, self.size, self.batch_size = count, size, batch_size
        self.centres = cell_centres(size, stride)
        self.epoch_seed = 1000 * seed
        self.on_epoch_end()

    def __len__(self):
        return self.count // self.batch_size

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.images[part], self.targets[part]

    def on_epoch_end(self):
        drawn = data.scenes(self.count, self.size, seed=self.epoch_seed)
        self.images = drawn.images
        self.targets = centre_targets(drawn.boxes, drawn.labels, self.centres)
        self.epoch_seed += 1


def detect(model, images, least_score=0.05, iou_threshold=0.5):
    """The objects that a detector finds in images: `candidates` without their doubles.

    Args:
        model, images, least_score: see `candidates`.
        iou_threshold: see `suppress_by_class`.

    Returns:
        List of n dicts with `boxes` (k, 4) in pixels, `labels` and `scores` (k,), by falling score.
    """
    return [without_doubles(each, iou_threshold) for each in candidates(model, images, least_score)]


def candidates(model, images, least_score=0.05):
    """What all cells of a detector say of images, as far as they are sure enough.

    Args:
        model: see `build_detector`.
        images: (n, size, size, 1), in [0, 1].
        least_score: what has a lower score is left out; in [0, 1].

    Returns:
        List of n dicts with `boxes` (k, 4) in pixels, cut off at the image's edges, `labels` and
        `scores` (k,).

    Raises:
        ValueError: if the images are not what the model takes, or least_score is out of range.
    """
    check_in("[0, 1]", least_score=least_score)
    images = np.asarray(images, "float32")
    if images.ndim != 4 or images.shape[1:] != model.input_shape[1:]:
        raise ValueError(
            f"images has shape {images.shape}; the detector takes (n, "
            f"{', '.join(map(str, model.input_shape[1:]))})"
        )
    if not len(images):
        return []
    # What interpolation has drawn may lie a rounding error outside.
    if not -1e-3 <= images.min() <= images.max() <= 1 + 1e-3:
        raise ValueError(
            f"images has values from {images.min():g} to {images.max():g}; they must be in [0, 1]"
        )
    answers = model.predict(images, batch_size=100, verbose=0)
    scores = expit(answers[..., :-4])
    found = []
    for boxes, sure in zip(np.clip(answers[..., -4:], 0, images.shape[1]), scores, strict=True):
        cells, labels = np.nonzero(sure >= least_score)
        found.append({"boxes": boxes[cells], "labels": labels, "scores": sure[cells, labels]})
    return found


def without_doubles(found, iou_threshold=0.5):
    """One image's detections after `suppress_by_class`, by falling score."""
    return choose(found, suppress_by_class(**found, iou_threshold=iou_threshold))


def choose(found, which):
    """Some of one image's detections.

    Args:
        found: dict of arrays with one row each for a detection.
        which: indices, or booleans (k,).

    Returns:
        Dict of the same arrays' rows.
    """
    return {name: values[which] for name, values in found.items()}


def suppression_slider(picture, found, thresholds, names=None):
    """What is left of detections at several thresholds: a figure, and where widgets work a slider.

    Args:
        picture: (H, W, C).
        found: its detections before suppression, see `candidates`.
        thresholds: for `suppress_by_class`.
        names: texts for the labels, or None.

    Returns:
        Dict from threshold to the number of boxes left.
    """
    left = {threshold: without_doubles(found, threshold) for threshold in thresholds}
    plots.boxes(
        [picture] * len(left),
        list(left.values()),
        names=names,
        titles=[f"{threshold}: {len(each['labels'])} boxes" for threshold, each in left.items()],
        columns=len(left),
        alt=f"The same picture with the boxes left at the thresholds {', '.join(map(str, left))}.",
    )
    slider = ipywidgets.SelectionSlider(options=list(left), description="threshold")
    output = ipywidgets.Output()

    def draw(change):
        with output:
            output.clear_output(wait=True)
            alt = f"The boxes left at the threshold {change['new']}."
            plots.boxes([picture], [left[change["new"]]], names=names, alt=alt, size=4)

    slider.observe(draw, names="value")
    view = ipywidgets.VBox([slider, output])._repr_mimebundle_()
    display(view | {"text/plain": "In JupyterLab a slider stands here."}, raw=True)
    return {threshold: len(each["labels"]) for threshold, each in left.items()}


class FaceDetector:
    """MTCNN (Zhang et al., 2016), trained by others to find faces, with answers like `detect`'s.

    Three small networks look one after the other: the first proposes places at all sizes, the
    second and third throw out most of them and correct the rest.

    Attributes:
        network: the `mtcnn.MTCNN`, which takes one photograph (H, W, 3) of whole numbers from 0 to
            255, and does not check it.
    """

    def __init__(self):
        # It takes a second to import; only this class needs it.
        from mtcnn import MTCNN

        with _closed_files_unsaid():
            self.network = MTCNN()

    def __call__(self, photographs):
        """Finds the faces in photographs.

        Args:
            photographs: list of arrays (H, W, 3) or (H, W, 1), in [0, 1]; their sizes may differ.

        Returns:
            List of dicts with `boxes` (k, 4) in pixels, `labels` (k,), all 0, and `scores` (k,).

        Raises:
            ValueError: if a photograph has another shape or range.
        """
        return [self._faces(i, photograph) for i, photograph in enumerate(photographs)]

    def _faces(self, i, photograph):
        colour = _colour(i, photograph)
        found = self.network.detect_faces((255 * colour).round().astype("uint8"))
        corners = np.array([face["box"] for face in found], "float32").reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        return {
            "boxes": corners,
            "labels": np.zeros(len(found), int),
            "scores": np.array([face["confidence"] for face in found], "float32"),
        }


class HubDetector:
    """A detector of Keras Hub, with answers like `detect`'s.

    A photograph is made to fit into a square, its shape kept, and the rest of the square is black.
    The boxes come back in the photograph's own pixels.

    Args:
        network: a `keras_hub.models.ObjectDetector`, which takes squares of values from 0 to 255.
        side: of the square, in pixels.
        least_score: answers with a lower score are left out; Keras Hub's own default is 0.5, which
            is too high for a mean average precision.

    Raises:
        ValueError: if side or least_score is out of its range.
    """

    def __init__(self, network, side=640, least_score=0.05):
        check_positive(side=side)
        check_in("[0, 1]", least_score=least_score)
        network.prediction_decoder.confidence_threshold = least_score
        self.network = network
        self.side = side

    def __call__(self, photographs):
        """Finds objects in photographs.

        Args:
            photographs: list of arrays (H, W, 3) or (H, W, 1), in [0, 1]; their sizes may differ.

        Returns:
            List of dicts with `boxes` (k, 4) in pixels, `labels` (k,) and `scores` (k,), by
            falling score.

        Raises:
            ValueError: if a photograph has another shape or range.
        """
        return [self._objects(_colour(i, each)) for i, each in enumerate(photographs)]

    def _objects(self, photograph):
        size = np.array(photograph.shape[:2])
        scale = self.side / size.max()
        height, width = np.maximum(np.round(scale * size).astype(int), 1)
        square = np.zeros((1, self.side, self.side, 3), "float32")
        fitted = ops.image.resize(photograph, (height, width), antialias=True)
        square[0, :height, :width] = 255 * ops.convert_to_numpy(fitted)
        found = self.network.predict(square, verbose=0)
        count = int(found["num_detections"][0])
        boxes = keras.utils.bounding_boxes.convert_format(
            found["boxes"][0, :count],
            source=self.network.bounding_box_format,
            target="xyxy",
            height=self.side,
            width=self.side,
        )
        order = np.argsort(-found["confidence"][0, :count], kind="stable")
        boxes = ops.convert_to_numpy(boxes)[order] / np.tile([width, height], 2)
        return {
            "boxes": np.clip(boxes, 0, 1) * np.tile(size[::-1], 2),
            "labels": found["labels"][0, :count][order],
            "scores": found["confidence"][0, :count][order],
        }


def coco_detector(preset="retinanet_resnet50_fpn_coco"):
    """A RetinaNet (Lin et al., 2017) that was trained on COCO; downloads its weights, once.

    Args:
        preset: name of a RetinaNet of Keras Hub whose labels are COCO's.

    Returns:
        The `HubDetector`, and the list of its 91 labels' names.

    Raises:
        ValueError: if Keras Hub is not installed, or the weights cannot be had.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ValueError(
            "keras_hub is not installed; it is needed at full scale alone: pip install --no-deps "
            "keras-hub kagglehub kagglesdk regex tokenizers sentencepiece"
        ) from error
    try:
        network = keras_hub.models.ObjectDetector.from_preset(preset)
    except Exception as error:  # Keras Hub passes on whatever its download raised.
        raise ValueError(
            f"the weights of {preset!r} could not be had ({error}); give a preset of Keras Hub, "
            f"or the folder to which you downloaded one"
        ) from error
    names = [keras_hub.utils.coco_id_to_name(label) for label in range(91)]
    return HubDetector(network), names


class _Matches(NamedTuple):
    """All detections of a set, and which are right.

    Attributes:
        images, labels, scores, boxes: of the n detections, in the order of the images.
        right: (thresholds, n) booleans.
        truth_labels: of all truths.
    """

    images: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    right: np.ndarray
    truth_labels: np.ndarray


def _match(predictions, truths, thresholds):
    """Decides for each detection and threshold whether it is right; see `_Matches`."""
    if len(predictions) != len(truths):
        raise ValueError(
            f"predictions has {len(predictions)} images and truths {len(truths)}; both must tell "
            f"of the same ones"
        )
    if not thresholds.size or not np.all((thresholds > 0) & (thresholds <= 1)):
        raise ValueError(f"iou_thresholds is {thresholds}; each must be above 0 and at most 1")
    images, boxes, labels, scores = _flat("predictions", predictions, scored=True)
    truth_images, truth_boxes, truth_labels, _ = _flat("truths", truths, scored=False)
    groups, truth_groups = _groups(images, labels, truth_images, truth_labels)
    ranks = _ranks(groups, -scores)
    table, present = _table(truth_boxes, truth_groups)
    counted = ranks < _MOST_DETECTIONS
    right = np.zeros((len(thresholds), len(boxes)), bool)
    taken = np.zeros((len(thresholds), *present.shape), bool)
    candidates = np.flatnonzero(counted & (groups < len(present)))
    # All the best detections of their class and image at once, then all the second best …
    for of_rank in np.split(
        candidates[np.argsort(ranks[candidates], kind="stable")],
        np.cumsum(np.bincount(ranks[candidates]))[:-1],
    ):
        group = groups[of_rank]
        overlap = _iou(boxes[of_rank].T[..., None], np.moveaxis(table[group], -1, 0))
        overlap = np.where(present[group], overlap, -1)
        fits = (overlap >= np.minimum(thresholds, 1 - 1e-10)[:, None, None]) & ~taken[:, group]
        best = np.where(fits, overlap, -1)
        # Of equal overlaps COCO takes the last.
        choice = best.shape[2] - 1 - best[:, :, ::-1].argmax(axis=2)
        hit = fits.any(axis=2)
        right[:, of_rank] = hit
        threshold, detection = np.nonzero(hit)
        taken[threshold, group[detection], choice[threshold, detection]] = True
    return _Matches(
        images[counted],
        labels[counted],
        scores[counted],
        boxes[counted],
        right[:, counted],
        truth_labels,
    )


def _objects(boxes, labels, centres, radius):
    """Checks what `centre_targets` is given; returns boxes (n, k, 4) and labels (n, k), k > 0."""
    boxes, labels = np.asarray(boxes, "float32"), np.asarray(labels)
    if boxes.ndim != 3 or boxes.shape[2] != 4 or labels.shape != boxes.shape[:2]:
        raise ValueError(
            f"boxes has shape {boxes.shape} and labels {labels.shape}; they must be (n, k, 4) and "
            f"(n, k)"
        )
    labels = _labels("labels", labels.ravel(), labels.size).reshape(labels.shape)
    if np.ndim(centres) != 2 or np.shape(centres)[1] != 2 or not len(centres):
        raise ValueError(f"centres has shape {np.shape(centres)}; it must be (cells, 2)")
    check_in("[0, ∞]", radius=radius)
    if not boxes.shape[1]:  # no image has an object
        return np.zeros((len(boxes), 1, 4), "float32"), np.full((len(boxes), 1), -1)
    limit = np.add(centres[-1], centres[0])  # the far edge of the last cell
    # Said so that a NaN fits neither.
    inside = (boxes[..., :2] >= 0).all(-1) & (boxes[..., 2:] <= limit).all(-1)
    wrong = (labels >= 0) & ~(inside & (boxes[..., 2:] > boxes[..., :2]).all(-1))
    if np.any(wrong):
        i, j = np.argwhere(wrong)[0]
        raise ValueError(
            f"boxes[{i}, {j}] is {boxes[i, j].tolist()}; an object's box must have a width and a "
            f"height and lie in the image, [0, {limit[0]:g}]"
        )
    return boxes, labels


def _pairs(a, b):
    """Returns both sets of boxes as tensors, and refuses what is not pair by pair."""
    a, b = ops.convert_to_tensor(a), ops.convert_to_tensor(b)
    one, other = tuple(a.shape), tuple(b.shape)
    known = [sides for sides in zip(one, other, strict=False) if None not in sides]
    if len(one) != len(other) or any(x != y for x, y in known) or one[-1:] != (4,):
        raise ValueError(
            f"a has shape {one} and b {other}; both must be the same (…, 4). To compare each box "
            f"of one set with each of another, there is box_iou"
        )
    return a, b


def _check_answers(y_true, y_pred):
    """Refuses targets and answers for `DetectionLoss` that do not fit, or would broadcast."""
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    fits = len(true) == len(pred) == 3 and true[2] in (None, 5) and (pred[2] is None or pred[2] > 4)
    if not fits or any(map(differ, true[:2], pred[:2])):
        raise ValueError(
            f"y_true has shape {true} and y_pred {pred}; they must be (B, cells, 5) and "
            f"(B, cells, num_classes + 4)"
        )


def _convolution(x, filters, stride=1):
    x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _curves(found, label):
    """Recall and precision (n,) of a class for each threshold, by falling score."""
    mine = np.flatnonzero(found.labels == label)
    mine = mine[np.argsort(-found.scores[mine], kind="stable")]
    hits = np.cumsum(found.right[:, mine], axis=1)
    recall = hits / np.sum(found.truth_labels == label)
    return zip(recall, hits / np.arange(1, len(mine) + 1), strict=True)


def _average_precision(recall, precision):
    """Mean over COCO's 101 recalls of the best precision at that recall or beyond."""
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, _RECALLS, side="left")
    return np.append(best, 0.0)[places].mean()


def _mean(values):
    return float(np.mean(values)) if np.size(values) else float("nan")


def _groups(images, labels, truth_images, truth_labels):
    """Numbers the pairs of image and class, those that hold a truth first."""
    truth_keys = np.stack([truth_images, truth_labels], axis=1)
    keys = np.stack([images, labels], axis=1)
    known, truth_groups = np.unique(truth_keys, axis=0, return_inverse=True)
    _, first, groups = np.unique(
        np.concatenate([known, keys]), axis=0, return_index=True, return_inverse=True
    )
    # `return_index` finds the known pairs among the first rows; the others follow them.
    numbers = np.where(first < len(known), first, len(known) + np.arange(len(first)))
    return numbers[groups.ravel()[len(known) :]], truth_groups.ravel()


def _ranks(groups, values):
    """The place of each value within its group, from 0 for the smallest."""
    order = np.lexsort((values, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    ranks = np.empty(len(groups), int)
    ranks[order] = np.arange(len(groups)) - np.repeat(
        starts, np.diff(np.append(starts, len(groups)))
    )
    return ranks


def _table(boxes, groups):
    """Boxes by group: (groups, most, 4), and which entries (groups, most) hold one."""
    places = _ranks(groups, np.arange(len(groups)))
    shape = (groups.max(initial=-1) + 1, places.max(initial=0) + 1)
    table, present = np.zeros((*shape, 4)), np.zeros(shape, bool)
    table[groups, places], present[groups, places] = boxes, True
    return table, present


def _iou(a, b):
    """Overlap of boxes given by their sides, (4, …) and (4, …), whose shapes broadcast."""
    width, height = (
        np.minimum(a[high], b[high]) - np.maximum(a[low], b[low]) for low, high in ((0, 2), (1, 3))
    )
    # Without this, two negative sides would make a positive area.
    shared = np.maximum(width, 0, out=width)
    shared *= np.maximum(height, 0, out=height)
    area, other = ((sides[2] - sides[0]) * (sides[3] - sides[1]) for sides in (a, b))
    union = area + other - shared
    # Empty boxes share nothing, with no union to divide by.
    union[union == 0] = 1
    return np.divide(shared, union, out=shared)


def _flat(name, entries, scored):
    """Checks the dicts of a set and joins them: image numbers, boxes, labels and scores."""
    boxes, labels, scores = [np.zeros((0, 4))], [np.zeros(0, int)], [np.zeros(0)]
    for i, entry in enumerate(entries):
        missing = {"boxes", "labels", *(["scores"] if scored else [])} - set(entry)
        if missing:
            raise ValueError(f"{name}[{i}] has no {', '.join(sorted(missing))}")
        boxes.append(_boxes(f"{name}[{i}]['boxes']", entry["boxes"]))
        labels.append(_labels(f"{name}[{i}]['labels']", entry["labels"], len(boxes[-1])))
        if scored:
            scores.append(_scores(f"{name}[{i}]['scores']", entry["scores"], len(boxes[-1])))
    images = np.repeat(np.arange(len(entries)), [len(each) for each in boxes[1:]])
    return images, np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores)


@contextlib.contextmanager
def _closed_files_unsaid():
    """Keeps to itself that a file was closed before its reader, which Python 3.13 tells of."""
    # So joblib leaves the files of MTCNN's weights when it has read them.
    told = sys.unraisablehook
    sys.unraisablehook = lambda said: isinstance(said.exc_value, ValueError) or told(said)
    try:
        yield
    finally:
        sys.unraisablehook = told


def _colour(i, photograph):
    photograph = np.asarray(photograph)
    if photograph.ndim != 3 or photograph.shape[2] not in (1, 3):
        raise ValueError(
            f"photographs[{i}] has shape {photograph.shape}; it must be (H, W, 3) or (H, W, 1)"
        )
    if not 0 <= photograph.min() <= photograph.max() <= 1:
        raise ValueError(
            f"photographs[{i}] has values from {photograph.min():g} to {photograph.max():g}; "
            f"they must be in [0, 1]"
        )
    return np.broadcast_to(photograph, (*photograph.shape[:2], 3))


def _boxes(name, boxes):
    boxes = np.asarray(boxes, "float64")
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{name} has shape {boxes.shape}; boxes must be (n, 4)")
    if not np.all(np.isfinite(boxes)):
        raise ValueError(f"{name} holds NaN or infinity; boxes must be finite")
    wrong = np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(axis=1))
    if wrong.size:
        raise ValueError(
            f"{name}[{wrong[0]}] is {boxes[wrong[0]].tolist()}; boxes must be (x_min, y_min, "
            f"x_max, y_max) with x_min ≤ x_max and y_min ≤ y_max"
        )
    return boxes


def _scores(name, scores, count):
    scores = np.asarray(scores, "float64")
    if scores.shape != (count,):
        raise ValueError(f"{name} has shape {scores.shape}; {count} boxes need ({count},)")
    if not np.all(np.isfinite(scores)):
        raise ValueError(f"{name} holds NaN or infinity; scores must be finite")
    return scores


def _labels(name, labels, count):
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise ValueError(f"{name} has shape {labels.shape}; {count} boxes need ({count},)")
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"{name} is of type {labels.dtype}; labels must be whole numbers")
    wrong = labels[~np.isfinite(labels) | (labels != np.floor(labels))]
    if wrong.size:
        raise ValueError(f"{name} holds {wrong[0]}; labels must be whole numbers")
    return labels.astype(int)
