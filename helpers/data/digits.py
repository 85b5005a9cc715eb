"""Small grey pictures in ten classes: handwritten digits and articles of clothing."""

import io

from helpers.data import shipped

import numpy as np

#: The classes of `fashion`, by label.
FASHION_NAMES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def digits(full=False):
    """Handwritten digits from MNIST (LeCun, Cortes and Burges, 1998).

    The 5,000 that ship come from MNIST's training set, 500 of each digit, in a fixed shuffled
    split. Both parts hold each digit equally often.

    Args:
        full: fetch all of MNIST through `keras.datasets`, in its own split, once.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 (n, 28, 28, 1) in [0, 1], white on
        black; labels int32 (n,) from 0 to 9. n is 4,000 and 1,000, or 60,000 and 10,000 in full.

    Raises:
        DataFileError: if `data/digits.npz` is missing or damaged.
        RuntimeError: if MNIST cannot be downloaded.
    """
    if full:
        return _images(_download("MNIST", "mnist", "mnist.npz"))
    return _images(_shipped_split("digits"))


def fashion(full=False):
    """Articles of clothing from Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017).

    The 12,000 that ship are the first 1,000 of each class in its training set and the first 200
    of each class in its test set, shuffled. `FASHION_NAMES` holds the classes.

    Args:
        full: fetch all of Fashion-MNIST through `keras.datasets`, in its own split, once.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 (n, 28, 28, 1) in [0, 1], bright on
        black; labels int32 (n,) from 0 to 9. n is 10,000 and 2,000, or 60,000 and 10,000 in full.

    Raises:
        DataFileError: if `data/fashion.npz` is missing or damaged.
        RuntimeError: if Fashion-MNIST cannot be downloaded.
    """
    if full:
        files = "fashion-mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz"
        return _images(_download("Fashion-MNIST", "fashion_mnist", files))
    return _images(_shipped_split("fashion"))


def _shipped_split(name):
    with np.load(io.BytesIO(shipped.read(name)), allow_pickle=False) as arrays:
        return (
            (arrays["x_train"], arrays["y_train"]),
            (arrays["x_test"], arrays["y_test"]),
        )


def _download(title, dataset, files):
    import keras  # loads TensorFlow: only for those who ask for the whole set

    try:
        return getattr(keras.datasets, dataset).load_data()
    except Exception as error:
        raise RuntimeError(
            f"{title} could not be downloaded ({error}). It was asked for through "
            f"keras.datasets.{dataset}.load_data(). Without a network, put {files} by hand "
            f"into the folder datasets/ of Keras (~/.keras, or KERAS_HOME), or use the images "
            f"that ship: full=False"
        ) from error


def _images(split):
    return tuple(
        (images[..., None].astype("float32") / 255, labels.astype("int32"))
        for images, labels in split
    )
