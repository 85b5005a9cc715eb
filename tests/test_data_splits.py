"""Chance that differs for training and testing."""

from helpers.data import splits

import pytest


def test_generators_repeat_and_differ():
    def draw(split, seed):
        return splits.generator(split, seed).random()

    assert draw("train", 3) == draw("train", 3)
    assert len({draw(split, seed) for split in splits.SPLITS for seed in range(50)}) == 100


@pytest.mark.parametrize(("split", "seed"), [("valid", 0), ("train", -1), ("train", 0.5)])
def test_generator_refuses(split, seed):
    with pytest.raises(ValueError, match=r"(split|seed) is"):
        splits.generator(split, seed)
