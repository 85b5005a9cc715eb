"""Every score of the lessons, computed from arrays.

Nothing here trains or holds a model: features and class probabilities come in as arrays.
"""

import contextlib

from helpers.arguments import check_in, check_whole_number

import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import rel_entr


def frechet_distance(real, generated):
    """Fréchet distance between two sets of features (Heusel et al., 2017).

    A Gaussian is fitted to each set; the distance is the closed form

        |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁ Σ₂)^½.

    It is the square of a distance: four times the number is twice as far. On the pooled features of
    Inception v3 it is the Fréchet Inception distance (FID). Its value depends on the feature
    network and, by a bias upwards, on the number of images: compare only distances that share both.

    Args:
        real, generated: arrays (n, d) and (m, d) of features, one row an image; n, m ≥ 2.

    Returns:
        The distance as a float ≥ 0, computed in float64; finite also where n or m is below d.

    Raises:
        ValueError: if an array is not (n, d), the widths differ, or a value is not finite.
    """
    real, generated = _features("real", real), _features("generated", generated)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(
            f"real has {real.shape[1]} features and generated {generated.shape[1]}; "
            "both must come from the same feature network"
        )
    difference = real.mean(axis=0) - generated.mean(axis=0)
    a, b = _covariance_factor(real), _covariance_factor(generated)
    # Σ₁ = AᵀA and Σ₂ = BᵀB, so the eigenvalues of Σ₁Σ₂ are the squared singular values of ABᵀ.
    # No matrix root is taken, so covariances without full rank do no harm.
    cross = _sum_of_singular_values(a, b)
    return max(0.0, float(difference @ difference + np.sum(a**2) + np.sum(b**2) - 2 * cross))


def inception_score(probabilities, splits=10):
    """Inception score: exp of the mean KL(p(y|x) ‖ p(y)) (Salimans et al., 2016).

    It is 1 if every image gets the same answer, and the number of classes if the classifier is
    certain of each image and the classes are equally frequent. It never sees a real image.

    Args:
        probabilities: array (n, classes); each row sums to 1.
        splits: number of consecutive parts that are scored apart. The images should be in random
            order: a part that holds a single class scores 1.

    Returns:
        (mean, standard deviation) of the score over the parts.

    Raises:
        ValueError: if the rows are not probabilities, or splits is not a whole number from 1 to n.
    """
    probabilities = np.asarray(probabilities, "float64")
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(
            f"probabilities has shape {probabilities.shape}; it must be (n, classes) with n ≥ 1"
        )
    sums = probabilities.sum(axis=1)
    # Written so that NaN is refused too.
    if not (np.all(probabilities >= 0) and np.all(np.abs(sums - 1) < 1e-3)):
        raise ValueError(
            f"probabilities has values from {probabilities.min():.3g} and rows that sum to "
            f"{sums.min():.3g} to {sums.max():.3g}; each row must be at least 0 and sum to 1 "
            "(apply softmax to logits first)"
        )
    check_whole_number("splits", splits, 1, len(probabilities))
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        # rel_entr takes 0 · log 0 as 0, which is its limit.
        scores.append(np.exp(rel_entr(part, marginal).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def nearest_distances(points, others):
    """Distance of each point to the nearest of the others.

    For generated images against training images it tells copies, which have a distance near 0. A
    distance far below that of unseen real images is a warning, one far above it another.

    Args:
        points, others: arrays (n, …) and (m, …), such as images; compared number by number.

    Returns:
        Array (n,) of Euclidean distances.

    Raises:
        ValueError: if one is empty, or what they hold differs in size.
    """
    points, others = _rows("points", points), _rows("others", others)
    if points.shape[1] != others.shape[1]:
        raise ValueError(
            f"points have {points.shape[1]} numbers each and others {others.shape[1]}; both must "
            f"have as many"
        )
    squares = np.sum(others**2, axis=1)
    nearest = [
        # |a − b|² = |a|² + |b|² − 2ab, one matrix product for a block of points.
        np.sum(block**2, axis=1) + np.min(squares - 2 * block @ others.T, axis=1)
        for block in np.array_split(points, -(-len(points) // 500))
    ]
    return np.sqrt(np.maximum(np.concatenate(nearest), 0))


def class_spread(points, labels):
    """Mean distance between two points of the same class, averaged over the classes.

    A generator that draws one picture a class has a spread of 0, whatever a classifier says of it.

    Args:
        points: array (n, …), such as images.
        labels: whole numbers (n,).

    Returns:
        A float ≥ 0; a class with a single point is left out.

    Raises:
        ValueError: if there is not one label a point, or no class has two points.
    """
    points, labels = _rows("points", points), np.asarray(labels)
    if labels.shape != (len(points),):
        raise ValueError(f"labels has shape {labels.shape}; there must be one for {len(points)}")
    spreads = [pdist(points[labels == c]).mean() for c in set(labels) if sum(labels == c) > 1]
    if not spreads:
        raise ValueError("labels has no class with two points; a spread needs a pair")
    return float(np.mean(spreads))


def psnr(a, b, max_value=1.0):
    """Peak signal-to-noise ratio of two image batches.

    Args:
        a, b: arrays of the same shape (B, H, W, C), in [0, max_value].
        max_value: the largest value a pixel can take.

    Returns:
        Array (B,), in decibels; infinity where the two images are equal.

    Raises:
        ValueError: if the shapes differ or are not (B, H, W, C), or max_value is not positive.
    """
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    if a.shape != b.shape or a.ndim != 4:
        raise ValueError(f"a is {a.shape} and b is {b.shape}; both must be the same (B, H, W, C)")
    check_in("(0, ∞)", max_value=max_value)
    squared_error = np.mean((a - b) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(max_value**2 / squared_error)


def dice(truth, prediction):
    """Dice coefficient 2 |A ∩ B| / (|A| + |B|) of two sets of pixels, image by image.

    Args:
        truth, prediction: arrays (B, H, W) of booleans, or of 0 and 1.

    Returns:
        Array (B,) in [0, 1]; 1 where both are empty, since then nothing is wrong.

    Raises:
        ValueError: if the shapes differ or are not (B, H, W), or there are other values.
    """
    truth, prediction = _masks(truth, prediction)
    for name, mask in (("truth", truth), ("prediction", prediction)):
        if not np.isin(mask, (0, 1)).all():
            raise ValueError(
                f"{name} has values from {mask.min()} to {mask.max()}; dice needs 0 and 1 (compare "
                f"with a threshold or a class first)"
            )
    truth, prediction = truth.astype(bool), prediction.astype(bool)
    shared = np.sum(truth & prediction, axis=(1, 2))
    total = np.sum(truth, axis=(1, 2)) + np.sum(prediction, axis=(1, 2))
    return np.where(total > 0, 2 * shared / np.maximum(total, 1), 1.0)


def class_iou(truth, prediction, num_classes):
    """Intersection over union of each class, its pixels counted over all images.

    Args:
        truth, prediction: whole numbers (B, H, W), from 0 to num_classes − 1.
        num_classes: number of classes.

    Returns:
        Array (num_classes,) in [0, 1]; NaN for a class that occurs in neither.

    Raises:
        ValueError: if the shapes differ or are not (B, H, W), or a label is out of range.
    """
    truth, prediction = _masks(truth, prediction)
    for name, mask in (("truth", truth), ("prediction", prediction)):
        if mask.size and not 0 <= mask.min() <= mask.max() < num_classes:
            raise ValueError(
                f"{name} has labels from {mask.min()} to {mask.max()}; they must be from 0 to "
                f"{num_classes - 1}"
            )
    pairs = (truth.astype("int64") * num_classes + prediction).ravel()
    table = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    shared = np.diag(table)
    union = table.sum(axis=0) + table.sum(axis=1) - shared
    return np.divide(shared, union, out=np.full(num_classes, np.nan), where=union > 0)


def mean_iou(truth, prediction, num_classes):
    """Mean of `class_iou` over the classes that occur; arguments as there.

    Returns:
        A float in [0, 1].
    """
    return float(np.nanmean(class_iou(truth, prediction, num_classes)))


def relative_distance(found, truth):
    """|found − truth| / |truth| of two lists of arrays, each list taken as one long vector.

    Args:
        found, truth: lists of arrays of the same shapes, such as gradients.

    Returns:
        A number ≥ 0; NaN if there is a NaN anywhere.

    Raises:
        ValueError: if the shapes differ, or the truth is 0 everywhere.
    """
    shapes = [[np.shape(part) for part in each] for each in (found, truth)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"found has shapes {shapes[0]}; truth has {shapes[1]}")
    if not any(np.any(part) for part in truth):
        raise ValueError("truth is 0 everywhere; a distance cannot be a share of it")
    found, truth = (np.concatenate([np.ravel(part) for part in each]) for each in (found, truth))
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def _masks(truth, prediction):
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape or truth.ndim != 3 or not truth.size:
        raise ValueError(
            f"truth is {truth.shape} and prediction is {prediction.shape}; both must be the same "
            f"(B, H, W)"
        )
    return truth, prediction


def _rows(name, values):
    values = np.asarray(values, "float64")
    if values.ndim < 2 or not len(values):
        raise ValueError(f"{name} has shape {values.shape}; it must be (n, …) with n ≥ 1")
    return values.reshape(len(values), -1)


def _features(name, values):
    values = np.asarray(values, "float64")
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"{name} has shape {values.shape}; it must be (n, d) with n ≥ 2")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name} holds NaN or infinity; features must be finite")
    return values


def _covariance_factor(features):
    """Returns A with AᵀA the sample covariance, of at most d rows."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    # Cholesky takes half the time of QR, but loses the small directions of a steep covariance.
    with contextlib.suppress(np.linalg.LinAlgError):
        factor = np.linalg.cholesky(centred.T @ centred).T
        if _steepness(factor) > 1e-6:
            return factor
    return np.linalg.qr(centred, mode="r")


def _sum_of_singular_values(a, b):
    """Returns the sum of the singular values of ABᵀ."""
    product = a @ b.T
    if len(a) == len(b) == a.shape[1] and _steepness(a) * _steepness(b) > 1e-7:
        # Three times as fast. Rounding blurs the squares by 1e-16 of the largest, so that a root
        # this far from 0 is off by less than 1e-9 of the largest.
        values = np.linalg.eigvalsh(product @ product.T)
        if values[0] > 1e-13 * values[-1]:
            return np.sqrt(values).sum()
    return np.linalg.svd(product, compute_uv=False).sum()


def _steepness(triangle):
    """Returns an estimate of the smallest over the largest singular value of a triangle."""
    diagonal = np.abs(np.diag(triangle))
    return diagonal.min() / max(diagonal.max(), np.finfo(float).tiny)
