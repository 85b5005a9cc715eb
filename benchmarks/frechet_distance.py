"""Speed of `metrics.frechet_distance` beside the routes that public code takes.

All get the same 10,000 × 2,048 features, in turns within one run, so that a busy machine slows all.
Each row tells seconds, the ratio to ours, and how far the value is from ours; above 1e-6 the run
fails. Like a real network's, the features vary much in some directions and little in others.
Run: python benchmarks/frechet_distance.py [images features]
"""

import statistics
import sys
import time

from helpers import metrics

import numpy as np
from scipy import linalg

ROUNDS = 3


def main(count=10_000, width=2_048):
    """Measures every route on two kinds of features; returns the exit status."""
    return max(measure(count, width, least) for least in (1e-3, 1e-6))


def measure(count, width, least):
    """Prints one row for each route; returns 0 if their values are equal."""
    rng = np.random.default_rng(0)
    real, generated = (features(rng, count, width, least, shift) for shift in (0.0, 0.3))
    routes = {
        "helpers.metrics": metrics.frechet_distance,
        "eigenvalues of root·Σ₂·root (TF-GAN)": symmetric,
        "eigenvalues of the product (torchmetrics)": eigenvalues,
        "matrix root of the product (pytorch-fid)": matrix_root,
    }
    seconds, values = {name: [] for name in routes}, {}
    for _ in range(ROUNDS):
        for name, route in routes.items():
            start = time.perf_counter()
            values[name] = route(real, generated)
            seconds[name].append(time.perf_counter() - start)
    ours = statistics.median(seconds["helpers.metrics"])
    equal = True
    print(f"{count} x {width} features, variances 1 to {least:g}")
    print(f"{'route':<45} {'seconds':>9} {'ratio':>6} {'difference':>11}")
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        difference = abs(values[name] / values["helpers.metrics"] - 1)
        equal &= difference < 1e-6
        print(f"{name:<45} {middle:9.2f} {middle / ours:6.1f} {difference:11.1e}")
    return 0 if equal else 1


def features(rng, count, width, least, shift):
    """Draws features whose variances fall from 1 to the least."""
    spread = np.geomspace(1, least, width) ** 0.5
    basis = linalg.qr(np.random.default_rng(1).normal(size=(width, width)))[0]
    return (rng.normal(size=(count, width)) * spread * (1 + shift)) @ basis + shift * spread


def moments(values):
    """Returns mean and covariance as public code finds them."""
    return values.mean(axis=0), np.cov(values, rowvar=False)


def distance(means, covariances, trace_of_root):
    """Puts the parts of the formula together."""
    difference = means[0] - means[1]
    return (
        difference @ difference + np.trace(covariances[0]) + np.trace(covariances[1])
    ) - 2 * trace_of_root


def matrix_root(real, generated):
    """The formula as it is printed."""
    means, covariances = zip(moments(real), moments(generated), strict=True)
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    return distance(means, covariances, np.trace(root).real)


def eigenvalues(real, generated):
    """The trace of a root is the sum of the roots of the eigenvalues."""
    means, covariances = zip(moments(real), moments(generated), strict=True)
    values = linalg.eigvals(covariances[0] @ covariances[1])
    return distance(means, covariances, np.sqrt(values.astype(complex)).real.sum())


def symmetric(real, generated):
    """The product's eigenvalues are those of the symmetric root·Σ₂·root, root = Σ₁^½."""
    means, covariances = zip(moments(real), moments(generated), strict=True)
    values, vectors = linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    inner = linalg.eigvalsh(root @ covariances[1] @ root)
    return distance(means, covariances, np.sqrt(np.clip(inner, 0, None)).sum())


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
