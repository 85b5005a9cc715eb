"""Chance that differs for training and testing."""

from helpers.arguments import check_choice, check_whole_number

import numpy as np

SPLITS = ("train", "test")


def generator(split, seed):
    """Returns a random generator of its own for each split and seed.

    Args:
        split: "train" or "test".
        seed: whole number of at least 0.

    Raises:
        ValueError: if the split is unknown or the seed is not such a number.
    """
    check_choice("split", split, SPLITS)
    check_whole_number("seed", seed, 0)
    return np.random.default_rng([int(seed), SPLITS.index(split)])


def few_of_each(labels, count, rng):
    """Draws a few examples of each class, without replacement.

    Args:
        labels: array (n,) of whole numbers.
        count: examples of each class.
        rng: `numpy.random.Generator`.

    Returns:
        Places in labels, shuffled, `count` for each class that occurs.

    Raises:
        ValueError: if a class has fewer than `count` examples.
    """
    check_whole_number("count", count, 1)
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) == 0 or sizes.min() < count:
        raise ValueError(
            f"labels has {dict(zip(classes.tolist(), sizes.tolist(), strict=True))} examples by "
            f"class; count is {count}, so each class needs as many"
        )
    drawn = [rng.choice(np.flatnonzero(labels == c), count, replace=False) for c in classes]
    return rng.permutation(np.concatenate(drawn))
