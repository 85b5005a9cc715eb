"""What the loaders ask of their arguments."""

from helpers.data import arguments

import numpy as np
import pytest


@pytest.mark.parametrize("value", [1, 7, np.int64(5)])
def test_whole_numbers_pass(value):
    arguments.check_whole_number("count", value, 1, 7)


@pytest.mark.parametrize("value", [0, 8, 2.0, "2", None, True])
def test_others_are_named(value):
    with pytest.raises(ValueError, match="count is .*whole number from 1 to 7"):
        arguments.check_whole_number("count", value, 1, 7)


def test_no_upper_bound():
    arguments.check_whole_number("count", 10**9, 1)
    with pytest.raises(ValueError, match="of at least 1"):
        arguments.check_whole_number("count", 0, 1)


def test_choice():
    arguments.check_choice("split", "test", arguments.SPLITS)
    with pytest.raises(ValueError, match="split is 'tset'; it must be one of train, test"):
        arguments.check_choice("split", "tset", arguments.SPLITS)


def test_generators_repeat_and_differ():
    def draw(split, seed):
        return arguments.generator(split, seed).random()

    assert draw("train", 3) == draw("train", 3)
    assert len({draw(split, seed) for split in arguments.SPLITS for seed in range(50)}) == 100


@pytest.mark.parametrize(("split", "seed"), [("valid", 0), ("train", -1), ("train", 0.5)])
def test_generator_refuses(split, seed):
    with pytest.raises(ValueError, match=r"(split|seed) is"):
        arguments.generator(split, seed)
