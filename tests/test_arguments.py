"""What functions ask of their arguments."""

from helpers import arguments

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


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.5, np.float32(0.25), np.int64(0)], [-1e-9, 1, 1.5]),
        ("(0, 1]", [1e-9, 1, 1.0], [0, -1, 1.01]),
        ("(0, ∞)", [1e-300, 10**30], [0, float("inf")]),
        ("[-2.5, ∞]", [-2.5, float("inf")], [-2.6, -float("inf")]),
    ],
)
def test_intervals_take_their_ends_in_as_they_say(interval, inside, outside):
    for value in inside:
        arguments.check_in(interval, share=value)
    for value in [*outside, float("nan"), None, "0.5", True, np.array([0.5]), 1j]:
        with pytest.raises(ValueError, match="share is ") as caught:
            arguments.check_in(interval, size=inside[0], share=value)
        assert str(caught.value) == f"share is {value!r}; it must be a number in {interval}"


def test_choice():
    arguments.check_choice("split", "test", ("train", "test"))
    with pytest.raises(ValueError, match="split is 'tset'; it must be one of train, test"):
        arguments.check_choice("split", "tset", ("train", "test"))


def test_several_positive_numbers_at_once():
    arguments.check_positive(depth=1, width=20)
    with pytest.raises(ValueError, match="width is 0; it must be a whole number of at least 1"):
        arguments.check_positive(depth=1, width=0)


def test_sides_are_halved_as_often_as_they_go():
    for shape, times in (((28, 28, 1), 2), ((None, 8), 3), ((5, 7), 0)):
        arguments.check_halvings("image_shape", shape, times, "some depth")
    for shape in ((28, 30, 1), (30, 28, 1), (None, 6)):
        with pytest.raises(ValueError, match="size is .* with depth 2 both .* multiples of 4"):
            arguments.check_halvings("size", shape, 2, "depth 2")
