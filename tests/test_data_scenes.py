"""Digit scenes: boxes, classes and masks against the pixels, and what the splits share."""

import sys

from helpers import data

import numpy as np
import pytest
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

MODULE = sys.modules["helpers.data.scenes"]  # `data.scenes` is the function


@pytest.fixture(scope="module", params=[("train", 64), ("test", 96)], ids=str)
def drawn(request):
    split, size = request.param
    return data.scenes(300, size=size, split=split, seed=5)


def objects(scenes):
    """Yields (scene, place, the pixels of that digit) for every digit."""
    for i, labels in enumerate(scenes.labels):
        for place in np.flatnonzero(labels >= 0):
            yield i, place, scenes.instances[i] == place + 1


def box_of(pixels):
    rows, columns = np.nonzero(pixels)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_shapes_types_and_ranges(drawn):
    size = drawn.images.shape[1]
    assert drawn.images.shape == (300, size, size, 1)
    assert drawn.boxes.shape == (300, 4, 4)
    assert drawn.labels.shape == (300, 4)
    assert drawn.masks.shape == drawn.instances.shape == (300, size, size)
    types = [part.dtype.name for part in drawn]
    assert types == ["float32", "float32", "int32", "int32", "uint8"]
    assert 0 <= drawn.images.min() < 0.1 < 0.9 < drawn.images.max() <= 1


def test_boxes_enclose_the_pixels(drawn):
    for i, place, pixels in objects(drawn):
        assert drawn.boxes[i, place].tolist() == box_of(pixels)


def test_boxes_lie_in_the_scene_and_have_an_area(drawn):
    boxes = drawn.boxes[drawn.labels >= 0]
    assert boxes.min() >= 0
    assert boxes.max() <= drawn.images.shape[1]
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_empty_places_come_last_and_are_empty(drawn):
    present = drawn.labels >= 0
    assert present[:, 0].all()
    assert (present[:, :-1] >= present[:, 1:]).all()
    assert not drawn.boxes[~present].any()
    assert (drawn.labels[~present] == -1).all()
    np.testing.assert_array_equal(drawn.instances.max(axis=(1, 2)), present.sum(axis=1))


def test_masks_hold_the_class_of_each_digit(drawn):
    expected = np.zeros_like(drawn.masks)
    for i, place, pixels in objects(drawn):
        expected[i][pixels] = 1 + drawn.labels[i, place]
    np.testing.assert_array_equal(drawn.masks, expected)


def test_masks_cover_the_ink(drawn):
    # The background stays within 0.15 … 0.85: whatever is darker or lighter is ink.
    ink = np.abs(drawn.images[..., 0] - 0.5) > 0.36
    masks = drawn.masks > 0
    near = ndimage.binary_dilation(masks, np.ones((1, 3, 3), bool))
    assert (ink & near).sum() / ink.sum() > 0.995
    assert (ink & masks).sum() / masks.sum() > 0.6
    # A stroke thinner than a pixel is blended with the background, and may look like it.
    inked = [(ink[i] & pixels).any() for i, _, pixels in objects(drawn)]
    assert np.mean(inked) > 0.99


def test_labels_are_readable_from_the_pixels(drawn):
    """A neighbour search on MNIST's outlines reads the digits, cut out of the scenes."""
    reader = KNeighborsClassifier(1).fit(*normalised(*data.digits()[0]))
    shapes = np.array([pixels_in_frame(pixels) for _, _, pixels in objects(drawn)])
    truths = [drawn.labels[i, place] for i, place, _ in objects(drawn)]
    assert reader.score(shapes, truths) > 0.8


def normalised(images, labels):
    return np.array([pixels_in_frame(image[..., 0] > 0.5) for image in images]), labels


def pixels_in_frame(pixels, side=14):
    """Stretches a digit to fill a frame, keeping its proportions."""
    x_min, y_min, x_max, y_max = box_of(pixels)
    cut = pixels[y_min:y_max, x_min:x_max].astype(float)
    cut = ndimage.zoom(cut, side / max(cut.shape), order=1)[:side, :side]
    frame = np.zeros((side, side))
    top, left = (np.array(frame.shape) - cut.shape) // 2
    frame[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return frame.ravel()


def test_digits_hide_little_of_each_other(drawn):
    # A fifth at most by design; rounding to pixels adds a little.
    for boxes in (truth["boxes"] for truth in drawn.truths()):
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
                shared = np.clip(high - low, 0, None).prod()
                smaller = min((c[2:] - c[:2]).prod() for c in (a, b))
                assert shared / smaller < 0.3


def test_sizes_of_digits():
    scenes = data.scenes(300, size=100, seed=2)
    boxes = scenes.boxes[(scenes.labels >= 0)]
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    assert 15 <= longer.min() < 25 < 35 < longer.max() <= 40


def test_one_to_four_digits_equally_often_and_all_classes():
    scenes = data.scenes(2_000, size=32)
    counts = np.bincount((scenes.labels >= 0).sum(axis=1), minlength=5) / 2_000
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 0.25, atol=0.05)
    classes = np.bincount(scenes.labels[scenes.labels >= 0]) / (scenes.labels >= 0).sum()
    np.testing.assert_allclose(classes, 0.1, atol=0.02)


def test_truths_list_the_digits_of_each_scene():
    scenes = data.scenes(20, size=64)
    for i, truth in enumerate(scenes.truths()):
        k = (scenes.labels[i] >= 0).sum()
        np.testing.assert_array_equal(truth["boxes"], scenes.boxes[i, :k])
        np.testing.assert_array_equal(truth["labels"], scenes.labels[i, :k])


def test_each_split_has_digits_of_its_own(monkeypatch):
    (x_train, _), (x_test, _) = data.digits()
    marked = (x_train, np.full(len(x_train), 3, "int32")), (x_test, np.full(1000, 8, "int32"))
    monkeypatch.setattr(MODULE, "digits", lambda: marked)
    assert set(np.unique(data.scenes(30, split="train").labels)) == {-1, 3}
    assert set(np.unique(data.scenes(30, split="test").labels)) == {-1, 8}


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_split_has_regions_of_its_own(split):
    scenes = data.scenes(12, size=64, split=split)
    photos = {name: 0.15 + 0.7 * data.photo(name)[..., 0] for name in MODULE.TEXTURES}
    for image, mask in zip(scenes.images[..., 0], scenes.masks, strict=True):
        far = ~ndimage.binary_dilation(mask > 0, iterations=6)
        left = {name: find_background(image, far, photo) for name, photo in photos.items()}
        (columns,) = [found for found in left.values() if found.size]
        border = 512 * 2 // 3
        assert (columns + 64 <= border).all() if split == "train" else (columns >= border).all()


def find_background(image, far, photo):
    """Returns the left columns of the places of a photograph that show in a scene."""
    rows, columns = np.indices(np.array(photo.shape) - 63).reshape(2, -1)
    for y, x in np.argwhere(far)[:: far.sum() // 40]:
        same = np.abs(photo[rows + y, columns + x] - image[y, x]) < 1e-4
        rows, columns = rows[same], columns[same]
    return columns


def test_same_seed_same_scenes():
    first, again, other, test = (
        data.scenes(20, size=48, **arguments)
        for arguments in ({}, {}, {"seed": 1}, {"split": "test"})
    )
    for part, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(part, same)
    assert not np.array_equal(first.images, other.images)
    assert not np.array_equal(first.labels, test.labels)


@pytest.mark.parametrize(
    "arguments",
    [{"count": 0}, {"count": 2.0}, {"size": 31}, {"size": 161}, {"split": "all"}, {"seed": -1}],
)
def test_bad_arguments_are_named(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name} is"):
        data.scenes(**{"count": 3, **arguments})


def test_a_single_scene():
    scenes = data.scenes(1)
    assert [len(part) for part in scenes] == [1] * 5
    assert len(scenes.truths()) == 1


@pytest.mark.parametrize("size", [32, 160])
def test_smallest_and_largest_scenes(size):
    scenes = data.scenes(40, size=size, split="test")
    for i, place, pixels in objects(scenes):
        assert scenes.boxes[i, place].tolist() == box_of(pixels)
