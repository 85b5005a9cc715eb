"""Chance that differs for training and testing."""

from helpers import data
from helpers.data import splits

import numpy as np
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


def test_few_of_each():
    labels = np.array([3, 1, 1, 3, 3, 7, 7, 1])
    drawn = data.few_of_each(labels, 2, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 6
    assert sorted(labels[drawn].tolist()) == [1, 1, 3, 3, 7, 7]


def test_few_of_each_draws_every_example_and_shuffles():
    labels = np.repeat([0, 1], 3)
    draws = [data.few_of_each(labels, 1, np.random.default_rng(seed)) for seed in range(60)]
    assert {place for draw in draws for place in draw.tolist()} == set(range(6))
    assert {tuple(labels[draw].tolist()) for draw in draws} == {(0, 1), (1, 0)}
    again = data.few_of_each(labels, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(draws[0], again)


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [([0, 0, 1], 2, "each class needs as many"), ([], 1, "labels has"), ([0], 0, "count is 0")],
)
def test_few_of_each_refuses(labels, count, message):
    with pytest.raises(ValueError, match=message):
        data.few_of_each(np.array(labels), count, np.random.default_rng(0))
