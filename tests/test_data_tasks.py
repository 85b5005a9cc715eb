"""Sine curves as tasks."""

from helpers import data

import numpy as np
import pytest
from scipy import stats


def test_shapes_and_types():
    tasks = data.sinusoids(7, shots=5, queries=3)
    shapes = [part.shape for part in tasks]
    assert shapes == [(7, 5, 1), (7, 5, 1), (7, 3, 1), (7, 3, 1), (7,), (7,)]
    assert {part.dtype for part in tasks} == {np.dtype("float32")}


def test_curve_through_the_support_predicts_the_queries():
    # A·sin(x − φ) is a·sin x + b·cos x: least squares on five points finds it exactly.
    tasks = data.sinusoids(50)
    for i in range(50):
        support, query = (
            np.hstack([np.sin(x[i]), np.cos(x[i])]).astype("float64")
            for x in (tasks.support_x, tasks.query_x)
        )
        (a, b), *_ = np.linalg.lstsq(support, tasks.support_y[i, :, 0], rcond=None)
        np.testing.assert_allclose(query @ [a, b], tasks.query_y[i, :, 0], atol=1e-3)
        assert np.hypot(a, b) == pytest.approx(tasks.amplitude[i], abs=1e-3)
        assert np.arctan2(-b, a) == pytest.approx(tasks.phase[i], abs=1e-2)


def test_distributions_of_the_paper():
    tasks = data.sinusoids(2_000)
    for values, low, high in (
        (tasks.amplitude, 0.1, 5.0),
        (tasks.phase, 0.0, np.pi),
        (tasks.support_x.ravel(), -5.0, 5.0),
        (tasks.query_x.ravel(), -5.0, 5.0),
    ):
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def test_support_is_not_among_the_queries():
    tasks = data.sinusoids(100)
    assert not np.intersect1d(tasks.support_x, tasks.query_x).size


def test_same_seed_same_tasks_and_splits_share_none():
    train, test, other = (
        data.sinusoids(100, split=split, seed=seed)
        for split, seed in (("train", 0), ("test", 0), ("train", 1))
    )
    for part, again in zip(train, data.sinusoids(100), strict=True):
        np.testing.assert_array_equal(part, again)
    assert len(np.unique([train.phase, test.phase, other.phase])) == 300


@pytest.mark.parametrize(
    "arguments", [{"count": 0}, {"shots": 0}, {"queries": 1.5}, {"split": "all"}, {"seed": -1}]
)
def test_bad_arguments_are_named(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name} is"):
        data.sinusoids(**{"count": 3, **arguments})
