"""How much faster MAML's gradient is with a task axis than in a loop over the tasks.

Both find the same gradient of the same 25 sinusoids, in turns within one run, so that a busy
machine slows both. Told as a ratio of gradients per second. Run: python benchmarks/maml_tasks.py
"""

import statistics
import time
from functools import partial

from helpers import data, metalearning

import numpy as np
import tensorflow as tf

TASKS = 25
RATE = 0.01
ROUNDS = 5


def main():
    """Measures three ways of execution and prints one row for each."""
    tasks = data.sinusoids(TASKS)
    support, query = tasks[:2], tasks[2:4]
    learner = metalearning.MetaLearner([1, 40, 40, 1], metalearning.maml_gradient)
    weights = [tf.constant(weight) for weight in learner.get_weights()]
    singles = [
        [tuple(tf.constant(part[i : i + 1]) for part in pair) for pair in (support, query)]
        for i in range(TASKS)
    ]
    together = [tuple(map(tf.constant, pair)) for pair in (support, query)]

    # All tensors are arguments: what a compiled function captures may be computed in advance.
    def batch(weights, sets):
        return metalearning.maml_gradient(weights, *sets, RATE, 1)[1]

    def loop(weights, singles):
        gradients = [metalearning.maml_gradient(weights, *one, RATE, 1)[1] for one in singles]
        return [tf.add_n(parts) / TASKS for parts in zip(*gradients, strict=True)]

    for ours, theirs in zip(batch(weights, together), loop(weights, singles), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    print("execution    batch/s   loop/s  ratio")
    for name, wrap in (
        ("eager", lambda function: function),
        ("graph", tf.function),
        ("XLA", lambda function: tf.function(function, jit_compile=True)),
    ):
        fast, slow = wrap(batch), wrap(loop)
        contestants = (partial(fast, weights, together), partial(slow, weights, singles))
        batches, loops = rates(contestants)
        print(f"{name:<10}  {batches:8.1f} {loops:8.1f}  {batches / loops:5.1f}")


def rates(contestants):
    """Returns the median gradients per second of each contestant over ROUNDS turns."""
    calls = []
    for contestant in contestants:
        contestant()
        start = time.perf_counter()
        contestant()
        calls.append(max(1, int(0.2 / (time.perf_counter() - start))))
    seconds = [[] for _ in contestants]
    for _ in range(ROUNDS):
        for taken, contestant, count in zip(seconds, contestants, calls, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                contestant()
            taken.append((time.perf_counter() - start) / count)
    return [1 / statistics.median(taken) for taken in seconds]


if __name__ == "__main__":
    main()
