"""The microscope image and its nuclei."""

from helpers import ROOT, data

import numpy as np
import pytest
from scipy import ndimage


@pytest.fixture(scope="module")
def split():
    return data.nuclei()


def test_shapes_types_and_ranges(split):
    for (image, mask), width in zip(split, (352, 160), strict=True):
        assert image.shape == (1, 512, width, 1)
        assert mask.shape == (1, 512, width)
        assert (image.dtype, mask.dtype) == (np.float32, np.int32)
        assert 0 <= image.min() < image.max() <= 1
        assert width % 32 == 0


def test_parts_make_up_the_image(split):
    with np.load(ROOT / "data" / "nuclei.npz") as arrays:
        (left, left_mask), (right, right_mask) = split
        whole = np.concatenate([left, right], axis=2)[0, ..., 0]
        np.testing.assert_allclose(whole * 255, arrays["image"], atol=1e-4)
        foreground = np.concatenate([left_mask, right_mask], axis=2)[0] > 0
        np.testing.assert_array_equal(foreground, arrays["mask"] > 0)
        assert len(np.unique(arrays["mask"])) == 1 + 125


def test_nuclei_are_numbered_without_gaps(split):
    for _, mask in split:
        assert np.unique(mask).tolist() == list(range(mask.max() + 1))


def test_only_nuclei_on_the_cut_are_in_both_parts(split):
    (_, left), (_, right) = split
    on_the_cut = np.unique(left[0, :, -1])[1:].size
    assert left.max() + right.max() - 125 <= on_the_cut


def test_each_number_is_one_bright_piece(split):
    for image, mask in split:
        background = np.median(image[mask == 0])
        for number in range(1, mask.max() + 1):
            nucleus = mask[0] == number
            sizes = np.bincount(ndimage.label(nucleus)[0].ravel())[1:]
            assert sizes.max() >= 0.9 * sizes.sum()
            assert np.median(image[0, ..., 0][nucleus]) > background
