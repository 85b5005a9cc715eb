"""Real photographs that come inside installed packages: whole, in patches, and small faces."""

from pathlib import Path

from helpers import arguments
from helpers.data import splits

import numpy as np

#: The photographs of `photo`, each with its author or source and its terms of use.
PHOTO_CREDITS = {
    "astronaut": "NASA, Eileen Collins, public domain",
    "brick": "CC0Textures, CC0",
    "camera": "Lav Varshney, CC0",
    "cat": "Stefan van der Walt, Chelsea the cat, CC0",
    "cell": "Paul Müller et al. (2018), CC0",
    "china": "Daniel Buechele, CC BY 2.0",
    "clock": "Stefan van der Walt, public domain",
    "coffee": "Rachel Michetti, Pikolo Espresso Bar, CC0",
    "coins": "Brooklyn Museum, coins from Pompeii, no known restrictions",
    "flower": "vultilion (Flickr), CC BY 2.0",
    "grass": "linolafett (DeviantArt), CC0",
    "gravel": "CC0Textures, CC0",
    "hubble_deep_field": "NASA, ESA, public domain",
    "immunohistochemistry": "Center for Microscopy and Molecular Imaging, no known restrictions",
    "microaneurysms": "Andreas Maier, High-Resolution Fundus database, CC0",
    "moon": "shipped with scikit-image, no restrictions stated",
    "page": "shipped with scikit-image, no restrictions stated",
    "retina": "Mikael Häggström (2014), CC0",
    "rocket": "SpaceX, public domain",
    "stereo_motorcycle": "Scharstein et al. (2014), Middlebury stereo benchmark",
    "text": "Wikipedia, public domain",
}

#: The classes of `patches`, by label: the ten photographs in colour.
PATCH_NAMES = (
    "astronaut",
    "cat",
    "china",
    "coffee",
    "flower",
    "hubble_deep_field",
    "immunohistochemistry",
    "retina",
    "rocket",
    "stereo_motorcycle",
)

#: The classes of `textures`, by label: photographs of one kind of thing from side to side.
TEXTURE_NAMES = (
    "brick",
    "cat",
    "china",
    "coins",
    "flower",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "stereo_motorcycle",
)

_FROM_SCIKIT_LEARN = ("china", "flower")
_PATCH = 32
_TEXTURE = 64
# Black sky looks the same in every photograph, and in both splits.
_LEAST_CONTRAST = 0.01


def photo(name):
    """One photograph, from scikit-image or scikit-learn.

    Args:
        name: a key of `PHOTO_CREDITS`, such as "cat".

    Returns:
        float32 (H, W, 3) in [0, 1]; the three channels of a grey photograph are equal.

    Raises:
        ValueError: if there is no photograph of that name.
    """
    arguments.check_choice("name", name, PHOTO_CREDITS)
    pixels = _pixels(name)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    return pixels.astype("float32") / 255


def photos():
    """All photographs.

    Returns:
        Dict from each name in `PHOTO_CREDITS` to its picture, float32 (H, W, 3) in [0, 1].
    """
    return {name: photo(name) for name in PHOTO_CREDITS}


def patches(train_size=4_000, test_size=1_000, seed=0):
    """Which photograph is this piece from? Ten classes of 32×32 colour patches.

    Patches for training come from the left two thirds of each photograph, patches for testing
    from the right third, so that no pixel is in both. Patches of one split may overlap. Pieces of
    even colour are left out: black sky could be anywhere.

    Args:
        train_size: number of training patches.
        test_size: number of test patches.
        seed: whole number that selects the patches.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 (n, 32, 32, 3) in [0, 1]; labels
        int32 (n,), places in `PATCH_NAMES`, each equally often if ten divides n.

    Raises:
        ValueError: if a size is not a whole number from 10 to 20,000.
    """
    pictures = [photo(name) for name in PATCH_NAMES]
    return tuple(
        _pieces(pictures, _PATCH, split, size, seed)
        for split, size in (("train", train_size), ("test", test_size))
    )


def textures(train_size=480, test_size=480, seed=0):
    """Which photograph is this grey piece from? Twelve classes of 64×64 patches.

    As `patches`, but larger, and without what would tell many of them apart at once: colour is
    taken out, and each patch is brought to the same brightness and contrast. What is left is
    texture and shape. Patches for training come from the left two thirds of each photograph,
    patches for testing from the right third.

    Args:
        train_size: number of training patches.
        test_size: number of test patches.
        seed: whole number that selects the patches.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 (n, 64, 64, 1) in [0, 1]; labels
        int32 (n,), places in `TEXTURE_NAMES`, each equally often if twelve divides n.

    Raises:
        ValueError: if a size is not a whole number from 12 to 20,000.
    """
    pictures = [photo(name).mean(axis=-1, keepdims=True) for name in TEXTURE_NAMES]
    parts = []
    for split, size in (("train", train_size), ("test", test_size)):
        images, labels = _pieces(pictures, _TEXTURE, split, size, seed)
        parts.append((_even(images), labels))
    return tuple(parts)


def faces(folder=None, side=64, count=20_000):
    """Small faces, and pieces of background: 100 of each, from Labeled Faces in the Wild.

    The faces were cut from photographs of people in the news (Huang et al., 2012); scikit-image
    ships them. A folder of pictures, such as CelebA's aligned faces, takes their place.

    Args:
        folder: None for the faces that ship, or a folder; its pictures may lie in folders inside.
        side: height and width that pictures of a folder are brought to; a longer side is cropped.
        count: at most so many pictures of the folder are read.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images float32 in [0, 1]; labels int32 (n,), 1 for
        a face and 0 for background. What ships is grey, (n, 25, 25, 1), n is 160 and 40, half of
        them faces. A folder's pictures are in colour, (n, side, side, 3), all of them faces, a
        fifth of them for testing.

    Raises:
        ValueError: if the folder is not there, or holds fewer than five pictures.
    """
    if folder is not None:
        return _faces_of(folder, side, count)
    from skimage.data import lfw_subset

    images = lfw_subset()[..., None].astype("float32")
    labels = np.repeat(np.array([1, 0], "int32"), 100)
    rng = np.random.default_rng(0)
    people, others = rng.permutation(100), 100 + rng.permutation(100)
    train = rng.permutation(np.concatenate([people[:80], others[:80]]))
    test = rng.permutation(np.concatenate([people[80:], others[80:]]))
    return (images[train], labels[train]), (images[test], labels[test])


def _faces_of(folder, side, count):
    arguments.check_whole_number("side", side, 1)
    arguments.check_whole_number("count", count, 5)
    if not Path(folder).is_dir():
        raise ValueError(
            f"folder is {str(folder)!r}, and there is no such folder; put a folder of pictures "
            f"there, such as CelebA's img_align_celeba (its makers ask you to fetch it by hand)"
        )
    import keras  # loads TensorFlow: only for those who read a folder

    try:
        batches = keras.utils.image_dataset_from_directory(
            folder,
            labels=None,
            image_size=(side, side),
            crop_to_aspect_ratio=True,
            batch_size=None,
            seed=0,
            verbose=False,
        )
        images = np.stack([picture.numpy() for picture in batches.take(count)]) / 255
    except ValueError as error:
        raise ValueError(f"folder {str(folder)!r} holds no pictures: {error}") from error
    if len(images) < 5:
        raise ValueError(f"folder {str(folder)!r} holds {len(images)} pictures; it needs 5")
    cut = len(images) * 4 // 5
    labels = np.ones(len(images), "int32")
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def split_columns(picture, split):
    """Returns the part of a picture that a split may look at.

    Args:
        picture: array (H, W, …).
        split: "train" for the left two thirds, "test" for the right third.
    """
    border = picture.shape[1] * 2 // 3
    return picture[:, :border] if split == "train" else picture[:, border:]


def _pixels(name):
    if name in _FROM_SCIKIT_LEARN:
        from sklearn.datasets import load_sample_image

        return load_sample_image(f"{name}.jpg")
    from skimage import data

    pixels = getattr(data, name)()
    return pixels[0] if name == "stereo_motorcycle" else pixels


def _pieces(pictures, side, split, size, seed):
    """Cuts pieces of all pictures in the part of a split; a label is a picture's place."""
    arguments.check_whole_number(f"{split}_size", size, len(pictures), 20_000)
    rng = splits.generator(split, seed)
    labels = rng.permutation(np.arange(size, dtype="int32") % len(pictures))
    images = np.empty((size, side, side, pictures[0].shape[-1]), "float32")
    for label, picture in enumerate(pictures):
        mine = labels == label
        images[mine] = _cut(split_columns(picture, split), side, mine.sum(), rng)
    return images, labels


def _even(images):
    """Gives each image a mean of 0.5 and a standard deviation of 0.2, then clips to [0, 1]."""
    mean, spread = images.mean(axis=(1, 2), keepdims=True), images.std(axis=(1, 2), keepdims=True)
    return np.clip(0.5 + 0.2 * (images - mean) / spread, 0, 1)


def _cut(region, side, count, rng):
    """Cuts square patches out of a region at places drawn without replacement.

    In the emptiest region more than half of the places show something, so that three draws for
    each patch, and some for small counts, are enough.
    """
    windows = np.lib.stride_tricks.sliding_window_view(region, (side, side), axis=(0, 1))
    rows, columns = windows.shape[:2]
    places = rng.choice(rows * columns, 3 * count + 50, replace=False)
    cuts = np.moveaxis(windows[places // columns, places % columns], 1, -1)
    lively = cuts.std(axis=(1, 2)).max(axis=-1) > _LEAST_CONTRAST
    return cuts[lively][:count]
