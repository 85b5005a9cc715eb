"""Object detection: boxes, their overlap, a small one-stage detector, and how detectors are scored.

Boxes are (x_min, y_min, x_max, y_max) in pixels, x to the right and y downwards. A box's area is
(x_max − x_min)(y_max − y_min), so a box that holds one pixel is one wide. Predictions and truths
of a set of images are lists of one dict an image: `boxes` (k, 4), `labels` (k,), and for
predictions `scores` (k,).
"""

from typing import NamedTuple

import numpy as np

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
    return _iou(_boxes("a", a).T, _boxes("b", b).T)


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
    boxes, scores = _boxes("boxes", boxes), _scores(scores, len(boxes))
    if not 0 <= iou_threshold <= 1:
        raise ValueError(f"iou_threshold is {iou_threshold}; it must be in [0, 1]")
    order = np.argsort(-scores, kind="stable")
    sides = np.ascontiguousarray(boxes[order].T, dtype="float32")
    kept = np.zeros(0, int)
    # In blocks, so that boxes are compared with the kept ones before them, not with all.
    for start in range(0, len(boxes), _BLOCK):
        block = sides[:, start : start + _BLOCK]
        free = np.flatnonzero(~(_iou(sides[:, kept], block) > iou_threshold).any(axis=0))
        suppresses = np.triu(_iou(block[:, free], block[:, free]) > iou_threshold, k=1)
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
    """
    boxes, labels = _boxes("boxes", boxes), np.asarray(labels)
    if labels.shape != (len(boxes),):
        raise ValueError(
            f"labels has shape {labels.shape}; {len(boxes)} boxes need ({len(boxes)},)"
        )
    scores = _scores(scores, len(boxes))
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
        Dict with `map`; `map50`, at the threshold 0.5 alone; `per_class`, a dict from label to that
        class's mean over the thresholds; `per_class50`. NaN where there is nothing to average.

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
        predictions, truths, iou_threshold: as for `mean_average_precision`.
        label: the class.

    Returns:
        recall, precision and score, arrays (n,): row k tells of the k + 1 best detections, the
        last of which has that score.

    Raises:
        ValueError: if no truth has that label.
    """
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

    Returns:
        Dict from kind to count.
    """
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
        overlap = np.where(present[group], _paired_iou(boxes[of_rank], table[group]), -1)
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


def _paired_iou(boxes, others):
    """Overlap of box i (n, 4) with its own others (n, m, 4): (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[..., :2])
    high = np.minimum(boxes[:, None, 2:], others[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = (others[..., 2:] - others[..., :2]).prod(axis=-1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(axis=-1)[:, None] + areas - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _iou(a, b):
    """Overlap of each pair, from the boxes' sides (4, n) and (4, m)."""
    width, height = (
        np.minimum(a[high, :, None], b[high]) - np.maximum(a[low, :, None], b[low])
        for low, high in ((0, 2), (1, 3))
    )
    # Without this, two negative sides would make a positive area.
    shared = np.maximum(width, 0, out=width)
    shared *= np.maximum(height, 0, out=height)
    areas = [(sides[2] - sides[0]) * (sides[3] - sides[1]) for sides in (a, b)]
    union = areas[0][:, None] + areas[1]
    union -= shared
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
        labels.append(np.asarray(entry["labels"], int))
        if labels[-1].shape != (len(boxes[-1]),):
            raise ValueError(
                f"{name}[{i}]['labels'] has shape {labels[-1].shape}; {len(boxes[-1])} boxes need "
                f"({len(boxes[-1])},)"
            )
        if scored:
            scores.append(_scores(entry["scores"], len(boxes[-1])))
    images = np.repeat(np.arange(len(entries)), [len(each) for each in boxes[1:]])
    return images, np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores)


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


def _scores(scores, count):
    scores = np.asarray(scores, "float64")
    if scores.shape != (count,):
        raise ValueError(f"scores has shape {scores.shape}; {count} boxes need ({count},)")
    if not np.all(np.isfinite(scores)):
        raise ValueError("scores holds NaN or infinity; scores must be finite")
    return scores
