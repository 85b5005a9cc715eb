"""Real microscopy with an outline of every nucleus."""

import io

from helpers.data import shipped

import numpy as np

#: The first column of the test part: both parts then have sides that 32 divides.
_TEST_COLUMN = 352


def nuclei():
    """One fluorescence image of 125 cell nuclei (2018 Data Science Bowl), cut into two parts.

    The left part is for training, the right part for testing. The nuclei on the cut have pixels
    in both.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 (1, 512, 352, 1) and
        (1, 512, 160, 1) in [0, 1]; masks int32 (1, 512, 352) and (1, 512, 160), 0 for background,
        1, 2, 3 … for one nucleus each, numbered in each part without gaps.

    Raises:
        DataFileError: if `data/nuclei.npz` is missing or damaged.
    """
    with np.load(io.BytesIO(shipped.read("nuclei")), allow_pickle=False) as arrays:
        image, mask = arrays["image"], arrays["mask"]
    parts = (np.s_[:, :_TEST_COLUMN], np.s_[:, _TEST_COLUMN:])
    return tuple((_image(image[part]), _instances(mask[part])) for part in parts)


def _image(pixels):
    return pixels[None, ..., None].astype("float32") / 255


def _instances(mask):
    _, numbers = np.unique(mask, return_inverse=True)
    return numbers.reshape(1, *mask.shape).astype("int32")
