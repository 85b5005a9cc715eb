"""What the loaders ask of their arguments, and chance that differs for training and testing."""

import numbers

import numpy as np

SPLITS = ("train", "test")


def check_whole_number(name, value, least, most=None):
    """Refuses what is not a whole number between two bounds, both allowed.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{name} is {value!r}; it must be a whole number {bounds}")


def check_choice(name, value, choices):
    """Refuses what is not one of the choices.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")


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
