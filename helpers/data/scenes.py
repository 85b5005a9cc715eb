"""Digits pasted on photographs of textures, for detection and segmentation."""

from typing import NamedTuple

from helpers import arguments
from helpers.data import splits
from helpers.data.digits import digits
from helpers.data.photos import photo, split_columns

import numpy as np

#: The photographs that lie behind the digits.
TEXTURES = ("brick", "grass", "gravel")

MOST_OBJECTS = 4

_LAYOUTS = 24
_MOST_OVERLAP = 0.2
# Light and dark digits stand out from the background, which stays between these two greys.
_BACKGROUND = (0.15, 0.85)
_DARK_INK, _LIGHT_INK = (0.0, 0.1), (0.9, 1.0)
_CHUNK = 256


class Scenes(NamedTuple):
    """Scenes with what is to be found in them. A scene holds one to four digits.

    Boxes are (x_min, y_min, x_max, y_max) in pixels and enclose the visible pixels of a digit:
    its columns are x_min … x_max − 1. Places that hold no digit come last.

    Attributes:
        images: float32 (n, S, S, 1) in [0, 1].
        boxes: float32 (n, 4, 4); zeros where there is no digit.
        labels: int32 (n, 4), 0 to 9; -1 where there is no digit.
        masks: int32 (n, S, S): 0 for background, 1 + label for a digit: eleven classes.
        instances: uint8 (n, S, S): 0 for background, 1 + place for a digit, where the place is its
            row in `boxes` and `labels`.
    """

    images: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    instances: np.ndarray

    def truths(self):
        """Returns a list of n dicts, `boxes` (k, 4) and `labels` (k,): the digits of each scene."""
        return [
            {"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]}
            for boxes, labels in zip(self.boxes, self.labels, strict=True)
        ]


def scenes(count, size=96, split="train", seed=0):
    """Draws digit scenes: MNIST digits, light or dark, on crops of photographs of textures.

    The longer side of a digit is 0.2 to 0.375 of the scene's. The boxes of two digits share
    at most a fifth of the smaller one. Training and test scenes share neither digits (the split is
    that of `digits`) nor any pixel of a photograph (left two thirds, right third).

    Args:
        count: number of scenes.
        size: side of a scene in pixels, from 32 to 160.
        split: "train" or "test".
        seed: whole number that selects the scenes.

    Returns:
        `Scenes` of n = count scenes with S = size.

    Raises:
        ValueError: if an argument is out of its range.
        DataFileError: if `data/digits.npz` is missing or damaged.
    """
    arguments.check_whole_number("count", count, 1)
    arguments.check_whole_number("size", size, 32, 160)
    rng = splits.generator(split, seed)
    textures = _textures(split)
    stamps, labels = digits()[splits.SPLITS.index(split)]
    chunks = [
        _draw(min(_CHUNK, count - start), size, textures, stamps[..., 0], labels, rng)
        for start in range(0, count, _CHUNK)
    ]
    return Scenes(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def _draw(count, size, textures, stamps, labels, rng):
    """Draws scenes at once: all their first digits, then all second ones on top, and so on."""
    chosen = rng.integers(len(stamps), size=(count, MOST_OBJECTS))
    ink_boxes = _extents((stamps[chosen] > 0.5).reshape(-1, *stamps.shape[1:]))
    corners, scales, present = _arrange(ink_boxes.reshape(count, MOST_OBJECTS, 4), size, rng)
    inks = _inks(present.shape, rng)
    canvas = _crops(textures, count, size, rng)
    instances = np.zeros(canvas.shape, "uint8")
    for place in range(MOST_OBJECTS):
        scene = np.flatnonzero(present[:, place])
        cover = _warp(
            stamps[chosen[scene, place]], corners[scene, place], scales[scene, place], size
        )
        canvas[scene] += cover * (inks[scene, place, None, None] - canvas[scene])
        instances[scene] = np.where(cover > 0.5, place + 1, instances[scene])
    found = np.where(present, labels[chosen], -1)
    boxes = np.stack([_extents(instances == place + 1) for place in range(MOST_OBJECTS)], axis=1)
    masks = _class_masks(instances, found)
    return Scenes(canvas[..., None], boxes.astype("float32"), found, masks, instances)


def _arrange(ink_boxes, size, rng):
    """Chooses sizes and places; of several layouts of a scene the one that overlaps least.

    Args:
        ink_boxes: the boxes of the digits within their stamps (n, 4, 4).

    Returns:
        Where the stamps' top left corners come to lie (n, 4, 2), the scales (n, 4), and which
        places hold a digit (n, 4).
    """
    sides = ink_boxes[..., 2:] - ink_boxes[..., :2]
    scales = size * rng.uniform(0.2, 0.375, sides.shape[:2]) / sides.max(axis=-1)
    sides = sides * scales[..., None]
    counts = rng.integers(1, MOST_OBJECTS + 1, size=len(ink_boxes))
    present = np.arange(MOST_OBJECTS) < counts[:, None]
    room = size - sides[:, None]
    corners = rng.uniform(size=(len(ink_boxes), _LAYOUTS, MOST_OBJECTS, 2)) * room
    overlaps = _overlaps(corners, sides[:, None]) * present[:, None, :, None]
    best = overlaps.max(axis=(2, 3)).argmin(axis=1)
    scene = np.arange(len(ink_boxes))
    crowded = (overlaps[scene, best] > _MOST_OVERLAP).any(axis=2)
    present &= ~np.logical_or.accumulate(crowded, axis=1)
    return corners[scene, best] - ink_boxes[..., :2] * scales[..., None], scales, present


def _overlaps(corners, sides):
    """How much of the smaller of two boxes lies in the other, for each box and each before it.

    Args:
        corners, sides: (…, 4, 2), broadcast.

    Returns:
        (…, 4, 4): [j, i] for the boxes j and i < j, else 0.
    """
    low = np.maximum(corners[..., :, None, :], corners[..., None, :, :])
    high = corners + sides
    high = np.minimum(high[..., :, None, :], high[..., None, :, :])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = sides.prod(axis=-1)
    smaller = np.minimum(areas[..., :, None], areas[..., None, :])
    return np.tril(shared / smaller, k=-1)


def _warp(stamps, corners, scales, size):
    """Puts stamps (k, 28, 28) at corners (k, 2), enlarged by scales (k,), on empty scenes.

    Linear interpolation is a product with a matrix of weights on each side.
    """
    columns, rows = (
        _interpolation(corners[:, axis], scales, stamps.shape[1], size) for axis in (0, 1)
    )
    return rows @ stamps @ columns.transpose(0, 2, 1)


def _interpolation(start, scale, source_size, size):
    """Weights (k, size, source_size): each target pixel's centre looked up between sources."""
    target = (np.arange(size) + 0.5 - start[:, None]) / scale[:, None] - 0.5
    weights = 1 - np.abs(target[..., None] - np.arange(source_size))
    return np.clip(weights, 0, None).astype("float32")


def _extents(masks):
    """The boxes (n, 4) that enclose what is True in (n, H, W); zeros where nothing is."""
    sides = []
    for axis in (1, 2):
        line = masks.any(axis=axis)
        length = line.shape[1]
        first = np.where(line.any(axis=1), line.argmax(axis=1), 0)
        last = np.where(line.any(axis=1), length - line[:, ::-1].argmax(axis=1), 0)
        sides.append((first, last))
    (x_min, x_max), (y_min, y_max) = sides
    return np.stack([x_min, y_min, x_max, y_max], axis=1)


def _textures(split):
    """The parts of the texture photographs for one split, float32 (photographs, H, W)."""
    low, high = _BACKGROUND
    pictures = [split_columns(photo(name)[..., 0], split) for name in TEXTURES]
    return low + (high - low) * np.stack(pictures)


def _inks(shape, rng):
    """Draws a grey for each digit: light or dark."""
    light = rng.random(shape) < 0.5
    greys = np.where(light, rng.uniform(*_LIGHT_INK, shape), rng.uniform(*_DARK_INK, shape))
    return greys.astype("float32")


def _class_masks(instances, labels):
    """Looks up the class of each pixel: 0 for background, 1 + label for a digit."""
    classes = np.pad(labels + 1, ((0, 0), (1, 0)))
    pixels = instances.reshape(len(instances), -1).astype("intp")
    return np.take_along_axis(classes, pixels, axis=1).reshape(instances.shape)


def _crops(textures, count, size, rng):
    windows = np.lib.stride_tricks.sliding_window_view(textures, (size, size), axis=(1, 2))
    places = (rng.integers(length, size=count) for length in windows.shape[:3])
    return windows[tuple(places)].astype("float32")
