"""Data that works offline: one file for each kind, one function for each set.

All are NumPy arrays or lists of str. Images are float32 (n, H, W, C) in [0, 1], labels int32 (n,).
A set that has a split returns `(x_train, y_train), (x_test, y_test)`.
"""

from helpers.data.digits import FASHION_NAMES, digits, fashion
from helpers.data.nuclei import nuclei
from helpers.data.photos import (
    PATCH_NAMES,
    PHOTO_CREDITS,
    TEXTURE_NAMES,
    faces,
    patches,
    photo,
    photos,
    textures,
)
from helpers.data.scenes import Scenes, scenes
from helpers.data.series import Series, co2, co2_weekly, demand, sunspots
from helpers.data.shipped import DataFileError
from helpers.data.splits import few_of_each
from helpers.data.tasks import Sinusoids, sinusoids
from helpers.data.text import (
    DATE_FORMATS,
    NUMBER_LANGUAGES,
    SURNAME_LANGUAGES,
    Characters,
    dates,
    number_words,
    surnames,
    write_date,
)

__all__ = [
    "DATE_FORMATS",
    "FASHION_NAMES",
    "NUMBER_LANGUAGES",
    "PATCH_NAMES",
    "PHOTO_CREDITS",
    "SURNAME_LANGUAGES",
    "TEXTURE_NAMES",
    "Characters",
    "DataFileError",
    "Scenes",
    "Series",
    "Sinusoids",
    "co2",
    "co2_weekly",
    "dates",
    "demand",
    "digits",
    "faces",
    "few_of_each",
    "fashion",
    "nuclei",
    "number_words",
    "patches",
    "photo",
    "photos",
    "scenes",
    "sinusoids",
    "sunspots",
    "surnames",
    "textures",
    "write_date",
]
