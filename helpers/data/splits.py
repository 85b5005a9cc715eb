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
