from helpers import metrics

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import linalg, special
from scipy.spatial import distance
from skimage import metrics as skimage_metrics
from sklearn.metrics import f1_score, jaccard_score


def features(rng, count, width):
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(
        size=width
    )


def with_exact_moments(rng, count, mean, covariance):
    """Rows whose sample mean and sample covariance are the given ones to rounding."""
    noise = rng.normal(size=(count, len(mean)))
    noise -= noise.mean(axis=0)
    whitened = noise @ np.linalg.inv(np.linalg.cholesky(noise.T @ noise / (count - 1))).T
    return whitened @ np.linalg.cholesky(covariance).T + mean


def textbook_frechet(a, b):
    """The formula as it is printed, with SciPy's matrix root."""
    root = linalg.sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
    means = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    return means + np.trace(np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * root)


class TestFrechetDistance:
    def test_one_dimension_has_a_closed_form(self):
        # |μ₁ − μ₂|² + (σ₁ − σ₂)²
        rng = np.random.default_rng(0)
        a = with_exact_moments(rng, 500, np.array([1.0]), np.array([[4.0]]))
        b = with_exact_moments(rng, 300, np.array([-2.0]), np.array([[0.25]]))
        assert metrics.frechet_distance(a, b) == pytest.approx(9 + 1.5**2, rel=1e-6)

    def test_commuting_covariances_have_a_closed_form(self):
        rng = np.random.default_rng(1)
        basis = linalg.qr(rng.normal(size=(6, 6)))[0]
        first, second = rng.uniform(0.1, 5, 6), rng.uniform(0.1, 5, 6)
        means = rng.normal(size=(2, 6))
        a = with_exact_moments(rng, 200, means[0], basis @ np.diag(first) @ basis.T)
        b = with_exact_moments(rng, 100, means[1], basis @ np.diag(second) @ basis.T)
        truth = np.sum((means[0] - means[1]) ** 2) + np.sum((first**0.5 - second**0.5) ** 2)
        assert metrics.frechet_distance(a, b) == pytest.approx(truth, rel=1e-6)

    @pytest.mark.parametrize("width", [2, 8, 32])
    def test_agrees_with_the_matrix_root(self, width):
        rng = np.random.default_rng(width)
        a, b = features(rng, 400, width), features(rng, 150, width)
        assert metrics.frechet_distance(a, b) == pytest.approx(textbook_frechet(a, b), rel=1e-6)

    @pytest.mark.parametrize(("count", "other"), [(10, 12), (10, 300), (300, 10), (40, 39)])
    def test_holds_without_full_rank(self, count, other):
        # The same trace by the symmetric form tr (Σ₁^½ Σ₂ Σ₁^½)^½, whose root always exists.
        rng = np.random.default_rng(2)
        a, b = rng.normal(size=(count, 40)), rng.normal(size=(other, 40))
        ours = metrics.frechet_distance(a, b)
        cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        values, vectors = np.linalg.eigh(cov_a)
        root = vectors @ np.diag(np.sqrt(np.clip(values, 0, None))) @ vectors.T
        inner = np.clip(np.linalg.eigvalsh(root @ cov_b @ root), 0, None)
        means = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
        truth = means + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(inner).sum()
        assert ours == pytest.approx(truth, rel=1e-5)

    def test_a_shift_of_few_samples_in_many_dimensions(self):
        # Equal covariances of rank 49 in 200 dimensions: only the shift is left.
        rng = np.random.default_rng(3)
        a, shift = rng.normal(size=(50, 200)), rng.normal(size=200)
        assert metrics.frechet_distance(a, a + shift) == pytest.approx(shift @ shift, rel=1e-9)

    @settings(max_examples=25, deadline=None)
    @given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 20), st.integers(0, 1000))
    def test_properties(self, count, other, width, seed):
        rng = np.random.default_rng(seed)
        a, b = features(rng, count, width), features(rng, other, width)
        distance = metrics.frechet_distance(a, b)
        scale = np.var(a) * width + np.var(b) * width + 1
        assert distance >= 0
        assert metrics.frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9 * scale)
        assert metrics.frechet_distance(b, a) == pytest.approx(distance, rel=1e-9, abs=1e-9 * scale)
        assert metrics.frechet_distance(3 * a, 3 * b) == pytest.approx(
            9 * distance, rel=1e-9, abs=1e-8 * scale
        )

    @pytest.mark.parametrize("least", [1e-2, 1e-6, 1e-12, 0.0])
    def test_steep_covariances_have_a_closed_form(self, least):
        # Each route of the sum of roots is taken: the quick one, the steep one, and no full rank.
        rng = np.random.default_rng(6)
        basis = linalg.qr(rng.normal(size=(30, 30)))[0]
        # 0 leaves ten directions without any variance.
        deviations = np.geomspace(1, least or 1e-3, 30) ** 0.5
        deviations[20:] *= least > 0
        white = [
            linalg.qr(c - c.mean(axis=0), mode="economic")[0] * np.sqrt(len(c) - 1)
            for c in (rng.normal(size=(400, 30)), rng.normal(size=(250, 30)))
        ]
        scales = (np.ones(30), rng.uniform(0.5, 2, 30))
        a, b = (q * deviations * s @ basis for q, s in zip(white, scales, strict=True))
        truth = np.sum((deviations * (scales[1] - scales[0])) ** 2)
        assert metrics.frechet_distance(a, b) == pytest.approx(truth, rel=1e-6)

    def test_float32_features_far_from_zero_keep_their_digits(self):
        rng = np.random.default_rng(4)
        a = rng.normal(size=(500, 4)).astype("float32")
        b = rng.normal(size=(500, 4)).astype("float32")
        near = metrics.frechet_distance(a, b)
        far = metrics.frechet_distance(a.astype("float64") + 1e4, b.astype("float64") + 1e4)
        assert far == pytest.approx(near, rel=1e-6)
        assert metrics.frechet_distance(a, b) == metrics.frechet_distance(
            a.astype("float64"), b.astype("float64")
        )

    @pytest.mark.parametrize(
        ("real", "generated", "message"),
        [
            (np.zeros(5), np.zeros((5, 1)), r"real has shape \(5,\)"),
            (np.zeros((5, 2)), np.zeros((1, 2)), r"generated has shape \(1, 2\)"),
            (np.zeros((5, 2)), np.zeros((5, 3)), "real has 2 features and generated 3"),
            (np.zeros((5, 2)), np.full((5, 2), np.nan), "generated holds NaN"),
            (np.full((5, 2), np.inf), np.zeros((5, 2)), "real holds NaN or infinity"),
        ],
    )
    def test_bad_input(self, real, generated, message):
        with pytest.raises(ValueError, match=message):
            metrics.frechet_distance(real, generated)


def brute_force_inception_score(probabilities):
    count, classes = probabilities.shape
    marginal = [sum(probabilities[i][c] for i in range(count)) / count for c in range(classes)]
    total = 0.0
    for row in probabilities:
        for share, overall in zip(row, marginal, strict=True):
            if share > 0:
                total += share * np.log(share / overall)
    return np.exp(total / count)


class TestInceptionScore:
    def test_agrees_with_loops(self):
        rng = np.random.default_rng(0)
        probabilities = special.softmax(rng.normal(size=(60, 7)) * 3, axis=1)
        parts = [brute_force_inception_score(part) for part in probabilities.reshape(4, 15, 7)]
        mean, deviation = metrics.inception_score(probabilities, splits=4)
        assert mean == pytest.approx(np.mean(parts))
        assert deviation == pytest.approx(np.std(parts))

    def test_its_range(self):
        certain = np.tile(np.eye(10), (20, 1))
        assert metrics.inception_score(certain) == pytest.approx((10, 0))
        assert metrics.inception_score(np.full((200, 10), 0.1)) == pytest.approx((1, 0))
        one_class = np.tile(np.eye(10)[3], (200, 1))
        assert metrics.inception_score(one_class) == pytest.approx((1, 0))

    def test_parts_of_one_class_score_one(self):
        in_order = np.repeat(np.eye(10), 20, axis=0)
        assert metrics.inception_score(in_order, splits=10)[0] == pytest.approx(1)
        assert metrics.inception_score(in_order, splits=1)[0] == pytest.approx(10)

    @given(
        hnp.arrays(
            "float64",
            st.tuples(st.integers(1, 30), st.integers(2, 6)),
            elements={"min_value": 0, "max_value": 1, "allow_nan": False},
        )
    )
    @settings(max_examples=50, deadline=None)
    def test_is_finite_and_bounded(self, raw):
        raw[raw.sum(axis=1) < 1e-6] = 1
        probabilities = raw / raw.sum(axis=1, keepdims=True)
        mean, _ = metrics.inception_score(probabilities, splits=1)
        assert 1 - 1e-9 <= mean <= probabilities.shape[1] + 1e-9

    def test_rows_that_do_not_divide_evenly_are_all_used(self):
        probabilities = np.vstack([np.eye(3)[[0, 1, 2, 0]], np.eye(3)[[1, 2, 0]]])
        first, second = probabilities[:4], probabilities[4:]
        parts = [brute_force_inception_score(first), brute_force_inception_score(second)]
        assert metrics.inception_score(probabilities, splits=2)[0] == pytest.approx(np.mean(parts))

    @pytest.mark.parametrize(
        ("probabilities", "splits", "message"),
        [
            (np.ones(10) / 10, 1, r"probabilities has shape \(10,\)"),
            (np.zeros((0, 10)), 1, r"probabilities has shape \(0, 10\)"),
            (np.array([[2.0, -1.0]]), 1, "apply softmax"),
            (np.array([[3.0, 1.0]]), 1, "apply softmax"),
            (np.array([[np.nan, 1.0]]), 1, "apply softmax"),
            (np.eye(3), 4, "splits is 4"),
            (np.eye(3), 0, "splits is 0"),
            (np.eye(3), 2.5, "splits is 2.5"),
            (np.zeros((4, 0)), 1, "probabilities has shape"),
        ],
    )
    def test_bad_input(self, probabilities, splits, message):
        with pytest.raises(ValueError, match=message):
            metrics.inception_score(probabilities, splits=splits)


class TestDiversity:
    def test_nearest_distances_by_hand(self):
        found = metrics.nearest_distances([[0, 3], [9, 0], [10, 0]], [[0, 0], [10, 0]])
        assert found.mean() == pytest.approx(4 / 3)

    @settings(deadline=None, max_examples=25)
    @given(st.integers(1, 1100), st.integers(1, 30), st.integers(0, 100))
    def test_nearest_distances_agree_with_scipy(self, count, other, seed):
        rng = np.random.default_rng(seed)
        points, others = rng.normal(size=(count, 2, 3)), rng.normal(size=(other, 2, 3)) + 4
        truth = distance.cdist(points.reshape(count, 6), others.reshape(other, 6)).min(axis=1)
        np.testing.assert_allclose(metrics.nearest_distances(points, others), truth, rtol=1e-9)

    def test_a_copy_has_distance_zero(self):
        images = np.random.default_rng(0).random((20, 28, 28, 1), dtype="float32")
        np.testing.assert_allclose(metrics.nearest_distances(images[3:5], images), 0, atol=1e-5)

    def test_class_spread_agrees_with_loops(self):
        rng = np.random.default_rng(1)
        points, labels = rng.normal(size=(30, 4)), np.repeat([0, 1, 5], [8, 21, 1])
        spreads = []
        for label in (0, 1):
            mine = points[labels == label]
            pairs = [np.linalg.norm(a - b) for i, a in enumerate(mine) for b in mine[:i]]
            spreads.append(np.mean(pairs))
        assert metrics.class_spread(points, labels) == pytest.approx(np.mean(spreads))

    def test_one_picture_a_class_has_no_spread(self):
        assert metrics.class_spread(np.eye(3)[[0, 0, 1, 1, 1]], [0, 0, 1, 1, 1]) == 0

    @pytest.mark.parametrize(
        ("score", "first", "second", "message"),
        [
            ("nearest_distances", np.zeros(3), np.zeros((2, 3)), r"points has shape \(3,\)"),
            ("nearest_distances", np.zeros((2, 3)), np.zeros((0, 3)), r"others has shape \(0, 3\)"),
            (
                "nearest_distances",
                np.zeros((2, 3)),
                np.zeros((2, 2)),
                "3 numbers each and",
            ),
            ("class_spread", np.zeros((3, 2)), np.zeros(2), r"labels has shape \(2,\)"),
            ("class_spread", np.zeros((3, 2)), np.arange(3), "no class with two points"),
        ],
    )
    def test_bad_input(self, score, first, second, message):
        with pytest.raises(ValueError, match=message):
            getattr(metrics, score)(first, second)


class TestPsnr:
    def test_agrees_with_scikit_image(self):
        rng = np.random.default_rng(0)
        a, b = rng.uniform(0, 255, size=(2, 5, 8, 6, 3))
        theirs = [
            skimage_metrics.peak_signal_noise_ratio(x, y, data_range=255)
            for x, y in zip(a, b, strict=True)
        ]
        assert metrics.psnr(a, b, max_value=255) == pytest.approx(np.array(theirs))

    def test_known_values(self):
        a = np.zeros((3, 4, 4, 1))
        b = a + np.array([0.1, 0.01, 0]).reshape(3, 1, 1, 1)
        assert metrics.psnr(a, b) == pytest.approx([20, 40, np.inf])

    @pytest.mark.parametrize(
        ("a", "b", "max_value", "message"),
        [
            (np.zeros((2, 4, 4, 1)), np.zeros((2, 4, 4, 3)), 1.0, "a is .* and b is"),
            (np.zeros((4, 4)), np.zeros((4, 4)), 1.0, "the same"),
            (np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 1)), 0, "max_value is 0"),
        ],
    )
    def test_bad_input(self, a, b, max_value, message):
        with pytest.raises(ValueError, match=message):
            metrics.psnr(a, b, max_value)


# Dice and intersection over union


@settings(deadline=None)
@given(hnp.arrays("int64", (3, 4, 5), elements=st.integers(0, 1)), st.integers(0, 2**32 - 1))
def test_dice_is_scikit_learns_f1_of_each_image(truth, seed):
    prediction = np.random.default_rng(seed).integers(0, 2, truth.shape)
    expected = [
        f1_score(a.ravel(), b.ravel(), zero_division=1.0)
        for a, b in zip(truth, prediction, strict=True)
    ]
    np.testing.assert_allclose(metrics.dice(truth, prediction), expected)


def test_dice_of_two_empty_masks_is_one_and_of_one_is_zero():
    empty, full = np.zeros((1, 2, 2)), np.ones((1, 2, 2))
    assert metrics.dice(empty, empty) == 1
    assert metrics.dice(empty, full) == metrics.dice(full, empty) == 0


@settings(deadline=None)
@given(hnp.arrays("int64", (2, 4, 5), elements=st.integers(0, 3)), st.integers(0, 2**32 - 1))
def test_iou_is_scikit_learns_jaccard_score_and_keras(truth, seed):
    prediction = np.random.default_rng(seed).integers(0, 3, truth.shape)
    found = metrics.class_iou(truth, prediction, 5)
    present = np.union1d(truth, prediction)
    expected = jaccard_score(truth.ravel(), prediction.ravel(), labels=present, average=None)
    np.testing.assert_allclose(found[present], expected)
    assert np.isnan(np.delete(found, present)).all()
    keras_metric = keras.metrics.MeanIoU(5)
    keras_metric.update_state(truth, prediction)
    assert metrics.mean_iou(truth, prediction, 5) == pytest.approx(float(keras_metric.result()))


def test_masks_that_do_not_fit_are_refused():
    mask = np.zeros((1, 2, 2), int)
    for score in (metrics.dice, lambda a, b: metrics.class_iou(a, b, 3)):
        with pytest.raises(ValueError, match=r"truth is \(1, 2, 2\) and prediction is \(1, 2, 3\)"):
            score(mask, np.zeros((1, 2, 3), int))
        with pytest.raises(ValueError, match=r"\(B, H, W\)"):
            score(mask[0], mask[0])
    with pytest.raises(ValueError, match="prediction has values from 0.5 to 0.5; dice needs 0 and"):
        metrics.dice(mask, mask + 0.5)
    with pytest.raises(ValueError, match="prediction has labels from 3 to 3; they must be from 0"):
        metrics.mean_iou(mask, mask + 3, 3)
    with pytest.raises(ValueError, match="truth has labels from -1 to -1"):
        metrics.mean_iou(mask - 1, mask, 3)


class TestRelativeDistance:
    def test_it_is_a_share_of_the_truth(self):
        truth = [np.array([[3.0]]), np.array([0.0, 4.0])]
        assert metrics.relative_distance(truth, truth) == 0
        assert metrics.relative_distance([np.array([[3.0]]), np.array([1.0, 4.0])], truth) == 0.2
        first, second = [np.array([3.0, 0.0]), np.array([[1.0]])], [np.zeros(2), np.array([[5.0]])]
        assert metrics.relative_distance(first, second) == pytest.approx(1.0)

    def test_what_cannot_be_compared(self):
        """Not even shapes that NumPy would stretch: (1,) beside (3,) is another network."""
        truth = [np.array([[3.0, 4.0]])]
        for other in ([np.array([[3.0], [4.0]])], [np.array([[3.0]])], []):
            with pytest.raises(ValueError, match="found has shapes"):
                metrics.relative_distance(other, truth)
        for other in ([np.ones(2)], [np.ones(2), np.ones(1)], []):
            with pytest.raises(ValueError, match="found has shapes"):
                metrics.relative_distance([np.ones(2), np.ones(3)], other)
        with pytest.raises(ValueError, match="truth is 0"):
            metrics.relative_distance(truth, [np.zeros((1, 2))])

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_a_nan_is_never_no_distance(self, place):
        good = [np.ones(2), np.ones(3), np.ones(1)]
        bad = [np.full_like(part, np.nan) if k == place else part for k, part in enumerate(good)]
        assert np.isnan(metrics.relative_distance(bad, good))
