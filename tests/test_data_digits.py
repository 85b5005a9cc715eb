"""Digits and clothing: shapes, balance, splits, labels, and the whole sets."""

from helpers import data

import numpy as np
import pytest
from scipy.stats import chisquare

SETS = {"digits": (data.digits, 4_000, 1_000), "fashion": (data.fashion, 10_000, 2_000)}


@pytest.fixture(scope="module", params=SETS)
def loaded(request):
    load, train_size, test_size = SETS[request.param]
    return load(), train_size, test_size


def test_shapes_types_and_ranges(loaded):
    split, *sizes = loaded
    for (images, labels), size in zip(split, sizes, strict=True):
        assert images.shape == (size, 28, 28, 1)
        assert labels.shape == (size,)
        assert (images.dtype, labels.dtype) == (np.float32, np.int32)
        assert (images.min(), images.max()) == (0, 1)


def test_classes_are_equally_frequent(loaded):
    for _, labels in loaded[0]:
        assert np.bincount(labels).tolist() == [len(labels) // 10] * 10


def test_no_image_occurs_twice(loaded):
    (x_train, _), (x_test, _) = loaded[0]
    seen = {image.tobytes() for image in np.concatenate([x_train, x_test])}
    assert len(seen) == len(x_train) + len(x_test)


def test_order_is_shuffled(loaded):
    # In a shuffled order a tenth of the neighbours are of one class; in a sorted one nearly all.
    for _, labels in loaded[0]:
        assert (labels[1:] == labels[:-1]).mean() < 0.15


def test_the_ends_of_each_part_hold_every_class(loaded):
    # Lessons take their first or last images for validation. A part that is cut class by class
    # from a shuffled order, and not shuffled again, has too few of some classes at its ends.
    for _, labels in loaded[0]:
        for end in (labels[:100], labels[-100:]):
            assert chisquare(np.bincount(end, minlength=10)).pvalue > 1e-3


def test_order_is_fixed(loaded):
    load = data.digits if loaded[1] == 4_000 else data.fashion
    for (images, labels), (again, labels_again) in zip(loaded[0], load(), strict=True):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, labels_again)


def test_labels_belong_to_images(loaded):
    # The nearest neighbour is right for about 0.93 of the digits and 0.80 of the clothes.
    (x_train, y_train), (x_test, y_test) = loaded[0]
    train, test = x_train[:4000].reshape(-1, 784), x_test[:500].reshape(-1, 784)
    nearest = ((train**2).sum(1) - 2 * test @ train.T).argmin(axis=1)
    assert (y_train[nearest] == y_test[:500]).mean() > 0.7


def test_names_of_clothes():
    # Trousers (1) are tall with a gap between the legs; a bag (8) fills its width.
    (x_train, y_train), _ = data.fashion()
    assert len(set(data.FASHION_NAMES)) == 10
    lower_half = {
        name: x_train[y_train == data.FASHION_NAMES.index(name), 20:, :, 0].mean(axis=(0, 1))
        for name in ("trouser", "bag")
    }
    assert lower_half["trouser"][2] < 0.1 < lower_half["bag"][2]


@pytest.mark.parametrize(
    ("load", "dataset", "files"),
    [(data.digits, "mnist", "mnist.npz"), (data.fashion, "fashion_mnist", "fashion-mnist/")],
)
class TestFull:
    def test_is_scaled_alike(self, load, dataset, files, monkeypatch):
        import keras

        pixels, labels = np.array([[[0, 255]]], "uint8"), np.array([3], "uint8")
        answer = ((pixels, labels), (pixels, labels))
        monkeypatch.setattr(getattr(keras.datasets, dataset), "load_data", lambda: answer)
        for images, numbers in load(full=True):
            assert images.dtype == np.float32
            assert images.tolist() == [[[[0.0], [1.0]]]]
            assert (numbers.dtype, numbers.tolist()) == (np.int32, [3])

    def test_failed_download_says_what_to_do(self, load, dataset, files, monkeypatch):
        import keras

        def fail():
            raise OSError("no route to host")

        monkeypatch.setattr(getattr(keras.datasets, dataset), "load_data", fail)
        with pytest.raises(RuntimeError, match="no route to host") as caught:
            load(full=True)
        for hint in (f"keras.datasets.{dataset}", files, "full=False", "by hand"):
            assert hint in str(caught.value)
