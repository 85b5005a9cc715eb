"""Families of small tasks, for learning to learn."""

from typing import NamedTuple

from helpers import arguments
from helpers.data import splits

import numpy as np


class Sinusoids(NamedTuple):
    """Regression tasks: y = amplitude · sin(x − phase).

    Attributes:
        support_x, support_y: float32 (n, shots, 1), the points to learn from.
        query_x, query_y: float32 (n, queries, 1), the points to be judged on.
        amplitude: float32 (n,), in [0.1, 5].
        phase: float32 (n,), in [0, π].
    """

    support_x: np.ndarray
    support_y: np.ndarray
    query_x: np.ndarray
    query_y: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray


def sinusoids(count, shots=5, queries=10, split="train", seed=0):
    """Draws sine curves to be learned from a few points (Finn, Abbeel and Levine, 2017, §5.1).

    Amplitude, phase and x are uniform; x lies in [-5, 5]. No two splits or seeds share a task.

    Args:
        count: number of tasks.
        shots: points to learn from in each task.
        queries: points to be judged on in each task.
        split: "train" or "test".
        seed: whole number that selects the tasks.

    Returns:
        `Sinusoids`.

    Raises:
        ValueError: if a number is below 1 or the split is unknown.
    """
    for name, value in (("count", count), ("shots", shots), ("queries", queries)):
        arguments.check_whole_number(name, value, 1)
    rng = splits.generator(split, seed)
    amplitude = rng.uniform(0.1, 5.0, count)
    phase = rng.uniform(0.0, np.pi, count)
    x = rng.uniform(-5.0, 5.0, (count, shots + queries, 1))
    y = amplitude[:, None, None] * np.sin(x - phase[:, None, None])
    parts = (x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:], amplitude, phase)
    return Sinusoids(*(part.astype("float32") for part in parts))
