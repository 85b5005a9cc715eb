"""Every score of the lessons, computed from arrays.

Nothing here trains or holds a model: features and class probabilities come in as arrays.
"""

import numpy as np
from scipy.special import rel_entr


def frechet_distance(real, generated):
    """Fréchet distance between two sets of features (Heusel et al., 2017).

    A Gaussian is fitted to each set; the distance is the closed form

        |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁ Σ₂)^½.

    On the pooled features of Inception v3 it is the Fréchet Inception distance (FID). Its value
    depends on the feature network and, by a bias upwards, on the number of images: compare only
    distances that share both.

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
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
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
        ValueError: if the rows are not probabilities, or if there are fewer rows than splits.
    """
    probabilities = np.asarray(probabilities, "float64")
    if probabilities.ndim != 2 or not len(probabilities):
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
    if not 1 <= splits <= len(probabilities):
        raise ValueError(
            f"splits is {splits}; it must lie between 1 and the {len(probabilities)} rows"
        )
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        # rel_entr takes 0 · log 0 as 0, which is its limit.
        scores.append(np.exp(rel_entr(part, marginal).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


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
    if not max_value > 0:
        raise ValueError(f"max_value is {max_value!r}; it must be above 0")
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


def _masks(truth, prediction):
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape or truth.ndim != 3 or not truth.size:
        raise ValueError(
            f"truth is {truth.shape} and prediction is {prediction.shape}; both must be the same "
            f"(B, H, W)"
        )
    return truth, prediction


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
    return centred if len(centred) <= centred.shape[1] else np.linalg.qr(centred, mode="r")
