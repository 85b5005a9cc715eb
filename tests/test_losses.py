import itertools

from helpers import fitting, losses

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from scipy import special, stats
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestCentroid

REDUCTIONS = ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", None]
TINY = (8, 8, 1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def slope(function, point):
    point = tf.Variable(np.asarray(point, "float32"))
    with tf.GradientTape() as tape:
        value = function(point)
    return tape.gradient(value, point).numpy()


def reloaded(model, path):
    """Saves a model, and loads it without being told of any class."""
    model.save(path)
    return keras.models.load_model(path)


class TestFocal:
    @pytest.mark.parametrize("reduction", REDUCTIONS)
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("shape", [(12, 1), (6, 4), (3, 5, 2)])
    @pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.5, 0.9), (0.0, 0.5)])
    def test_equals_keras(self, rng, reduction, weighted, shape, gamma, alpha):
        truth, logits = rng.integers(0, 2, shape), rng.normal(size=shape) * 10
        weights = rng.random(shape[:-1]) if weighted else None
        theirs = keras.losses.BinaryFocalCrossentropy(
            apply_class_balancing=True,
            alpha=alpha,
            gamma=gamma,
            from_logits=True,
            reduction=reduction,
        )
        ours = losses.BinaryFocalLoss(gamma, alpha, reduction=reduction)
        np.testing.assert_allclose(
            ours(truth, logits, sample_weight=weights),
            theirs(truth, logits, sample_weight=weights),
            rtol=1e-4,
            atol=1e-6,
        )

    def test_without_focus_it_is_half_of_cross_entropy(self, rng):
        truth, logits = rng.integers(0, 2, (50, 1)), rng.normal(size=(50, 1)) * 5
        entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        ours = losses.BinaryFocalLoss(gamma=0, alpha=0.5)
        assert float(ours(truth, logits)) == pytest.approx(float(entropy(truth, logits)) / 2, 1e-5)

    @settings(deadline=None)
    @given(st.floats(-30, 30), st.booleans(), st.floats(0, 5), st.floats(0, 1))
    def test_is_the_formula_of_the_paper(self, logit, positive, gamma, alpha):
        p = special.expit(logit if positive else -logit)
        rest = special.expit(-logit if positive else logit)
        truth = (alpha if positive else 1 - alpha) * rest**gamma * -np.log(p)
        ours = losses.BinaryFocalLoss(gamma, alpha)([[float(positive)]], [[logit]])
        assert float(ours) == pytest.approx(truth, rel=1e-3, abs=1e-12)

    def test_an_example_of_the_paper(self):
        # Section 3.2: with γ = 2, p = 0.9 costs 100 times less than cross-entropy.
        logit = np.array([[special.logit(0.9)]])
        plain = losses.BinaryFocalLoss(0, 0.5)(np.ones((1, 1)), logit)
        assert float(plain) / float(losses.BinaryFocalLoss(2, 0.5)(np.ones((1, 1)), logit)) == (
            pytest.approx(100, rel=1e-3)
        )

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
    @pytest.mark.parametrize("logit", [-500.0, -20.0, 20.0, 500.0])
    def test_large_logits(self, gamma, logit):
        loss = losses.BinaryFocalLoss(gamma, 0.25)
        for truth, weight in ((1.0, 0.25), (0.0, 0.75)):
            sign = 1 if truth else -1
            value = float(loss(np.full((1, 1), truth), np.full((1, 1), logit)))
            (derivative,) = slope(lambda x, t=truth: loss(np.full((1, 1), t), x), [[logit]])
            if sign * logit < 0:  # sure and wrong: cross-entropy, whose slope is ∓ 1
                assert value == pytest.approx(weight * abs(logit), rel=1e-5)
                assert derivative == pytest.approx(-sign * weight, rel=1e-4)
            else:
                assert 0 <= value < 1e-8
                assert abs(derivative) < 1e-8

    def test_one_axis_keeps_one_loss_an_example(self, rng):
        truth, logits = rng.integers(0, 2, 8), rng.normal(size=8)
        loss = losses.BinaryFocalLoss(reduction=None)
        flat = loss(truth, logits)
        assert flat.shape == (8,)
        np.testing.assert_allclose(flat, loss(truth[:, None], logits[:, None]))

    def test_float16_logits(self):
        loss = losses.BinaryFocalLoss()
        half = loss.call(np.ones((2, 1), "float16"), np.array([[-300.0], [2.0]], "float16"))
        np.testing.assert_allclose(half, loss.call(np.ones((2, 1)), [[-300.0], [2.0]]), rtol=1e-2)


class TestShapes:
    every_loss = pytest.mark.parametrize(
        "loss", [losses.BinaryFocalLoss(), losses.ContrastiveLoss()], ids=lambda loss: loss.name
    )

    @every_loss
    @pytest.mark.parametrize(
        ("true", "pred"), [((4,), (4, 1)), ((4, 1), (4,)), ((1, 4), (4, 1)), ((4, 1), (4, 2))]
    )
    def test_shapes_that_would_broadcast_are_refused(self, loss, true, pred):
        with pytest.raises(ValueError, match=r"y_true\[:, None\]") as caught:
            loss(np.ones(true), np.ones(pred))
        assert str(true) in str(caught.value)
        assert str(pred) in str(caught.value)

    def test_fit_refuses_them_too(self, rng):
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        model.compile(loss=losses.BinaryFocalLoss())
        with pytest.raises(ValueError, match="must be the same, or they broadcast"):
            model.fit(rng.random((4, 2)), np.ones(4), verbose=0)

    def test_metric_refuses_them(self):
        with pytest.raises(ValueError, match=r"shape \(4,\) and y_pred \(4, 1\)"):
            losses.AveragePrecision().update_state(np.ones(4), np.ones((4, 1)))

    def test_unknown_sizes_pass(self):
        loss = losses.BinaryFocalLoss()
        spec = tf.TensorSpec([None, 1])
        graph = tf.function(lambda a, b: loss(a, b), input_signature=[spec, spec])
        assert float(graph(np.ones((3, 1), "float32"), np.zeros((3, 1), "float32"))) > 0


class TestDistance:
    def test_of_each_to_each(self, rng):
        a, b = rng.normal(size=(2, 5, 3)).astype("float32")
        truth = [[np.linalg.norm(x - y) for y in b] for x in a]
        np.testing.assert_allclose(losses.distance(a[:, None], b[None]), truth, rtol=1e-5)

    def test_slope_where_points_are_equal(self):
        point = np.array([[1.0, 2.0]], "float32")
        assert np.all(slope(lambda x: losses.distance(x, point), point) == 0)

    def test_all_pairs(self, rng):
        embeddings, labels = rng.normal(size=(6, 4)).astype("float32"), rng.integers(0, 3, 6)
        distances, different = losses.all_pairs(embeddings, labels)
        pairs = list(itertools.combinations(range(6), 2))
        np.testing.assert_allclose(
            distances, [np.linalg.norm(embeddings[i] - embeddings[j]) for i, j in pairs], rtol=1e-5
        )
        np.testing.assert_array_equal(different, [labels[i] != labels[j] for i, j in pairs])

    def test_all_pairs_takes_a_column_of_labels(self, rng):
        embeddings, labels = rng.normal(size=(5, 2)).astype("float32"), rng.integers(0, 2, 5)
        for ours, theirs in zip(
            losses.all_pairs(embeddings, labels[:, None]),
            losses.all_pairs(embeddings, labels),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


class TestContrastive:
    @settings(deadline=None)
    @given(st.floats(0, 5), st.floats(0.1, 4))
    def test_is_the_formula_of_the_paper(self, d, margin):
        loss = losses.ContrastiveLoss(margin, reduction=None)
        alike, differs = np.array(loss([0.0, 1.0], [d, d]))
        assert alike == pytest.approx(d**2 / 2, rel=1e-4, abs=1e-6)
        assert differs == pytest.approx(max(0, margin - d) ** 2 / 2, rel=1e-4, abs=1e-6)

    def test_the_push_is_hardest_at_distance_zero(self):
        loss = losses.ContrastiveLoss(2.0, reduction="sum")
        push = slope(lambda d: loss(np.ones(4), d), [0.0, 0.5, 1.5, 3.0])
        np.testing.assert_allclose(push, [-2.0, -1.5, -0.5, 0.0])

    @pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
    def test_sample_weights(self, rng, reduction):
        truth, distances, weights = rng.integers(0, 2, 9), rng.random(9) * 2, rng.random(9)
        each = np.array(losses.ContrastiveLoss(reduction=None)(truth, distances))
        divisor = {"sum": 1, "sum_over_batch_size": 9, "mean_with_sample_weight": weights.sum()}
        for shape in ((9,), (9, 1)):
            value = losses.ContrastiveLoss(reduction=reduction)(
                truth.reshape(shape), distances.reshape(shape), sample_weight=weights
            )
            assert float(value) == pytest.approx(each @ weights / divisor[reduction], rel=1e-5)


def triplet_by_hand(labels, embeddings, margin):
    """Schroff et al. (2015), equation 4, one triplet after the other."""
    costs = []
    for a, anchor in enumerate(embeddings):
        to = [np.linalg.norm(anchor - other) for other in embeddings]
        strangers = [to[j] for j in range(len(to)) if labels[j] != labels[a]]
        pairs = []
        for r in range(len(to)):
            if r != a and labels[r] == labels[a] and strangers:
                beyond = [d for d in strangers if d > to[r]]
                chosen = min(beyond) if beyond else max(strangers)
                pairs.append(max(0, margin + to[r] - chosen))
        costs.append(np.mean(pairs) if pairs else 0)
    return costs


class TestTriplet:
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(0, 99))
    def test_brute_force(self, labels, seed):
        embeddings = np.random.default_rng(seed).normal(size=(len(labels), 3)).astype("float32")
        loss = losses.SemiHardTripletLoss(0.7, reduction=None)
        truth = triplet_by_hand(labels, embeddings, 0.7)
        ours = loss(np.array(labels), embeddings)
        np.testing.assert_allclose(ours, truth, rtol=1e-4, atol=1e-5)
        column = loss(np.array(labels)[:, None], embeddings)
        np.testing.assert_array_equal(ours, column)

    def test_in_graphs_with_batches_of_unknown_size(self, rng):
        loss = losses.SemiHardTripletLoss()
        labels, embeddings = rng.integers(0, 3, 7), rng.normal(size=(7, 2)).astype("float32")
        signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, 2])]
        graph = tf.function(lambda y, e: loss(y, e), input_signature=signature)
        truth = np.mean(triplet_by_hand(labels, embeddings, 1.0))
        assert float(graph(labels, embeddings)) == pytest.approx(truth, rel=1e-4)

    def test_slopes_are_finite_wherever_points_fall_together_or_stand_alone(self, rng):
        loss = losses.SemiHardTripletLoss()
        for labels in ([0, 0, 1, 1], [0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 0, 1]):
            for embeddings in (np.zeros((4, 2)), rng.normal(size=(4, 2))):
                found = slope(lambda e, y=labels: loss(np.array(y), e), embeddings)
                assert np.all(np.isfinite(found))

    def test_sample_weights(self, rng):
        labels, embeddings, weights = rng.integers(0, 2, 8), rng.normal(size=(8, 2)), rng.random(8)
        each = np.array(losses.SemiHardTripletLoss(reduction=None)(labels, embeddings))
        value = losses.SemiHardTripletLoss()(labels, embeddings, sample_weight=weights)
        assert float(value) == pytest.approx(np.mean(each * weights), rel=1e-5)


class TestAveragePrecision:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("share", [0.02, 0.5])
    def test_equals_scikit_learn(self, rng, weighted, share):
        truth = (rng.random(600) < share).astype("float32")
        # Scores in the middle of a bin each, with many ties.
        scores = np.floor((rng.normal(size=600) + truth) * 5) / 5 + 0.1
        weights = rng.random(600) if weighted else None
        metric = losses.AveragePrecision(bins=100, largest=10.0)
        for part in np.array_split(np.arange(600), 7):
            metric.update_state(
                truth[part, None],
                scores[part, None],
                sample_weight=None if weights is None else weights[part],
            )
        oracle = average_precision_score(truth, scores, sample_weight=weights)
        assert float(metric.result()) == pytest.approx(oracle, rel=1e-5)

    def test_is_near_on_scores_that_are_not_rounded(self, rng):
        truth = (rng.random(500) < 0.1).astype("float32")
        scores = rng.normal(size=500) * 3 + 2 * truth
        metric = losses.AveragePrecision()
        metric.update_state(truth, scores)
        oracle = average_precision_score(truth, scores)
        assert float(metric.result()) == pytest.approx(oracle, abs=0.01)

    def test_scores_beyond_the_bins(self):
        metric = losses.AveragePrecision(bins=10, largest=1.0)
        metric.update_state(np.array([1.0, 0.0]), np.array([1e9, -1e9]))
        assert float(metric.result()) == 1

    def test_forgets_when_reset(self):
        metric = losses.AveragePrecision()
        assert float(metric.result()) == 0
        metric.update_state(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
        assert float(metric.result()) == pytest.approx(0.5)
        metric.reset_state()
        metric.update_state(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
        assert float(metric.result()) == 1

    def test_within_fit(self, rng):
        x, truth = rng.random((50, 3)), rng.integers(0, 2, (50, 1)).astype("float32")
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        model.compile(loss=losses.BinaryFocalLoss(), weighted_metrics=[losses.AveragePrecision()])
        weights = rng.random(50)
        found = model.evaluate(
            x, truth, sample_weight=weights, batch_size=8, verbose=0, return_dict=True
        )
        logits = np.array(model(x))
        oracle = average_precision_score(truth[:, 0], logits[:, 0], sample_weight=weights)
        assert found["average_precision"] == pytest.approx(oracle, abs=0.02)


class TestPooling:
    @pytest.mark.parametrize("power", [0.5, 1.0, 3.0, 12.0])
    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_is_the_power_mean(self, rng, power, size):
        maps = rng.random((2, 7, 6, 5)).astype("float32") * 4 + 0.1
        rows, columns = 7 // size, 6 // size
        ours = np.array(losses.PowerMeanPooling(size, power)(maps))
        assert ours.shape == (2, rows, columns, 5)
        for i, j in itertools.product(range(rows), range(columns)):
            window = maps[:, i * size : (i + 1) * size, j * size : (j + 1) * size]
            truth = stats.pmean(window, power, axis=(1, 2))
            np.testing.assert_allclose(ours[:, i, j], truth, rtol=1e-4)

    def test_between_average_and_max_pooling(self, rng):
        maps = rng.random((2, 5, 4, 3)).astype("float32")
        mean = losses.PowerMeanPooling(power=1.0)(maps)
        np.testing.assert_allclose(mean, layers.AveragePooling2D(2)(maps), rtol=1e-4)
        largest = losses.PowerMeanPooling(power=500.0)(maps)
        np.testing.assert_allclose(largest, layers.MaxPooling2D(2)(maps), rtol=1e-2)

    def test_slopes_of_empty_and_of_large_maps(self):
        layer = losses.PowerMeanPooling(power=10.0)
        for value in (0.0, 1e-3, 1e6):
            found = slope(lambda m: tf.reduce_sum(layer(m)), np.full((1, 4, 4, 2), value))
            assert np.all(np.isfinite(found))

    def test_the_power_is_learned(self, rng):
        layer = losses.PowerMeanPooling()
        layer.build((None, 4, 4, 3))
        assert layer.p.shape == (3,)
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(layer(rng.random((2, 4, 4, 3)).astype("float32")))
        # Power means grow with the power.
        assert np.all(tape.gradient(value, layer.p.value).numpy() > 0)

    def test_bad_input(self):
        with pytest.raises(ValueError, match=r"power is 0; it must be a number in \(0, ∞\)"):
            losses.PowerMeanPooling(power=0)
        with pytest.raises(ValueError, match=r"smallest is -1; it must be a number in \(0"):
            losses.PowerMeanPooling(smallest=-1)
        with pytest.raises(ValueError, match="size is 0"):
            losses.PowerMeanPooling(size=0)
        for shape in ((2, 3), (2, 1, 8, 3)):
            with pytest.raises(ValueError, match=r"it must be \(B, H, W, C\) with known H and W"):
                losses.PowerMeanPooling()(np.ones(shape))


class TestPrototypes:
    def test_equals_scikit_learn(self, rng):
        x, labels = rng.normal(size=(40, 3)).astype("float32"), np.arange(40) % 4
        layer = losses.Prototypes(4)
        layer.learn(x, labels)
        asked = rng.normal(size=(30, 3)).astype("float32")
        oracle = NearestCentroid().fit(x, labels)
        np.testing.assert_allclose(layer.means, oracle.centroids_, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(np.argmax(layer(asked), 1), oracle.predict(asked))

    def test_logits_are_squared_distances(self):
        layer = losses.Prototypes(2)
        layer.learn(np.array([[0.0, 0.0], [3.0, 0.0]]), [0, 1])
        np.testing.assert_allclose(layer(np.array([[0.0, 4.0]])), [[-16.0, -25.0]])
        assert layer.trainable_variables == []

    @pytest.mark.parametrize("labels", [[0, 0], [0, 2], [0, 1, 2], [0, 1, -1]])
    def test_every_class_must_be_shown(self, labels):
        with pytest.raises(ValueError, match="it must hold each of 0 to 1, and no other"):
            losses.Prototypes(2).learn(np.ones((len(labels), 3)), labels)


class TestSiamese:
    def small(self, **options):
        return losses.Siamese(losses.build_encoder(TINY, 4, filters=(4, 6)), **options)

    def test_calls_give_distances_of_one_encoder(self, rng):
        model, (a, b) = self.small(), rng.random((2, 5, *TINY))
        truth = np.linalg.norm(np.array(model.encoder(a)) - np.array(model.encoder(b)), axis=1)
        np.testing.assert_allclose(model((a, b)), truth, rtol=1e-4)
        np.testing.assert_array_equal(model((a, b)), model((b, a)))
        assert np.all(np.array(model((a, a))) == 0)

    def test_one_step_goes_down_the_gradient_of_all_pairs(self, rng):
        model = self.small()
        images, labels = rng.random((6, *TINY)).astype("float32"), np.arange(6) % 2
        loss = losses.ContrastiveLoss()
        with tf.GradientTape() as tape:
            embeddings = model.encoder(images)
            costs = [
                loss([float(labels[i] != labels[j])], [losses.distance(a, b)])
                for (i, a), (j, b) in itertools.combinations(enumerate(tf.unstack(embeddings)), 2)
            ]
            value = tf.reduce_mean(costs)
        before = [weight.numpy() for weight in model.trainable_variables]
        gradients = tape.gradient(value, [w.value for w in model.trainable_variables])
        model.compile(keras.optimizers.SGD(0.1), loss)
        reported = model.fit(images, labels, batch_size=6, verbose=0).history["loss"]
        assert reported == pytest.approx([float(value)], rel=1e-4)
        for weight, old, gradient in zip(model.trainable_variables, before, gradients, strict=True):
            np.testing.assert_allclose(weight, old - 0.1 * gradient, rtol=1e-3, atol=1e-6)

    def test_fit_reports_metrics_and_learns(self, rng):
        labels = np.arange(40) % 2
        images = rng.random((40, *TINY)) * 0.1 + labels[:, None, None, None]
        model = self.small()
        model.compile(
            keras.optimizers.Adam(0.01),
            losses.ContrastiveLoss(),
            metrics=[keras.metrics.MeanSquaredError(name="squares")],
        )
        before = model.evaluate(images, labels, batch_size=16, verbose=0)[0]
        history = model.fit(
            images, labels, epochs=12, batch_size=16, validation_data=(images, labels), verbose=0
        ).history
        assert set(history) == {"loss", "squares", "val_loss", "val_squares"}
        assert history["val_loss"][-1] < before / 3


class TestSaving:
    """Each comes back equal, in a process that knows only the import of the module."""

    @pytest.mark.parametrize(
        "loss",
        [
            losses.BinaryFocalLoss(1.5, 0.7, reduction="sum", name="mine"),
            losses.ContrastiveLoss(2.5, reduction="sum", name="mine"),
            losses.SemiHardTripletLoss(0.3, reduction="sum", name="mine"),
        ],
        ids=lambda loss: type(loss).__name__,
    )
    def test_losses(self, tmp_path, loss):
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        model.compile(loss=loss)
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
        again = reloaded(model, tmp_path / "model.keras").loss
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
        truth = np.array([[0.0], [1.0], [1.0]])
        prediction = np.array([[0.3], [1.2], [-0.4]])
        assert float(again(truth, prediction)) == float(loss(truth, prediction))

    def test_metric(self, tmp_path):
        metric = losses.AveragePrecision(50, 5.0, name="mine")
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
        assert again.get_config() == metric.get_config()
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        model.compile(loss=losses.BinaryFocalLoss(), metrics=[metric])
        x, truth = np.random.default_rng(0).random((9, 2)), np.ones((9, 1))
        model.fit(x, truth, verbose=0)
        before = model.evaluate(x, truth, verbose=0, return_dict=True)
        model = reloaded(model, tmp_path / "model.keras")
        assert model.evaluate(x, truth, verbose=0, return_dict=True) == pytest.approx(before)

    def test_encoder_with_its_learned_powers(self, tmp_path, rng):
        encoder = losses.build_encoder(TINY, 3)
        for layer in encoder.layers:
            if isinstance(layer, losses.PowerMeanPooling):
                layer.p.assign(rng.random(layer.p.shape) + 2)
        images = rng.random((3, *TINY))
        again = reloaded(encoder, tmp_path / "model.keras")
        np.testing.assert_array_equal(again(images), encoder(images))
        config = losses.PowerMeanPooling(3, 2.0, 1e-3).get_config()
        assert (config["size"], config["power"], config["smallest"]) == (3, 2.0, 1e-3)

    def test_siamese_and_its_optimiser(self, tmp_path, rng):
        model = losses.Siamese(losses.build_encoder(TINY, 4, filters=(4, 6)), name="twins")
        model.compile("adam", losses.ContrastiveLoss(0.4))
        images, labels = rng.random((6, *TINY)), np.arange(6) % 2
        model.fit(images, labels, verbose=0)
        again = reloaded(model, tmp_path / "model.keras")
        pair = (images[:3], images[3:])
        np.testing.assert_array_equal(again(pair), model(pair))
        histories = [m.fit(images, labels, verbose=0).history["loss"] for m in (model, again)]
        assert histories[0] == pytest.approx(histories[1], rel=1e-5)

    def test_prototypes_within_a_classifier(self, tmp_path, rng):
        encoder, head = losses.build_encoder(TINY, 4), losses.Prototypes(3)
        images, labels = rng.random((6, *TINY)), np.arange(6) % 3
        head.learn(encoder(images), labels)
        classifier = keras.Sequential([encoder, head])
        classifier(images)
        again = reloaded(classifier, tmp_path / "model.keras")
        assert np.any(head.means.numpy() != 0)
        np.testing.assert_array_equal(again(images), classifier(images))


class TestNetworks:
    def test_spotter_starts_from_the_prior(self, rng):
        model = losses.build_spotter(TINY, prior=0.01)
        logits = model(np.zeros((2, *TINY)))
        assert logits.shape == (2, 1)
        np.testing.assert_allclose(special.expit(logits), 0.01, rtol=1e-4)

    def test_spotter_refuses_a_certain_prior(self):
        with pytest.raises(ValueError, match=r"prior is 0; it must be a number in \(0, 1\)"):
            losses.build_spotter(prior=0)

    def test_encoder(self, rng):
        encoder = losses.build_encoder((28, 28, 1), 5)
        assert encoder(rng.random((3, 28, 28, 1))).shape == (3, 5)
        pools = [x for x in encoder.layers if isinstance(x, losses.PowerMeanPooling)]
        assert [pool.output.shape for pool in pools] == [(None, 7, 7, 32), (None, 3, 3, 64)]


class TestPrecisionAtRecall:
    def test_every_threshold_tried(self, rng):
        truth, scores, weights = rng.random(40) < 0.3, rng.normal(size=40).round(1), rng.random(40)
        found = losses.precision_at_recall(truth, scores, [0.2, 0.7, 1.0], weights)
        for least, precision in zip([0.2, 0.7, 1.0], found, strict=True):
            reached = []
            for threshold in scores:
                alarms = scores >= threshold
                right = weights[alarms & truth].sum()
                if right / weights[truth].sum() >= least - 1e-9:
                    reached.append(right / weights[alarms].sum())
            assert precision == pytest.approx(max(reached))


def test_flatten_is_a_principal_component_analysis(rng):
    x = rng.normal(size=(50, 6)) * [5, 1, 3, 1, 1, 1] + 7
    ours, truth = losses.flatten(x), PCA(2).fit_transform(x)
    np.testing.assert_allclose(np.abs(ours), np.abs(truth), rtol=1e-4, atol=1e-6)


def test_one_step_at_full_size(rng):
    images, labels = rng.random((8, 28, 28, 1)).astype("float32"), np.arange(8) % 4
    settings = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3}
    for model, loss in (
        (losses.Siamese(losses.build_encoder(embedding_size=64)), losses.ContrastiveLoss()),
        (losses.build_encoder(embedding_size=64), losses.SemiHardTripletLoss()),
    ):
        before = model.get_weights()
        fitting.train_with_cosine(model, loss, images, labels, **settings)
        pairs = zip(before, model.get_weights(), strict=True)
        assert all(np.all(np.isfinite(new)) for _, new in pairs)
        assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))


class TestFewShot:
    def test_classes_far_apart(self, rng):
        labels = np.repeat([3, 7, 9], 10)
        embeddings = labels[:, None] * 100 + rng.normal(size=(30, 2))
        np.testing.assert_array_equal(losses.few_shot_accuracy(embeddings, labels, 1, 5, rng), 1)

    def test_embeddings_without_information_are_at_chance(self, rng):
        scores = losses.few_shot_accuracy(rng.normal(size=(400, 2)), np.arange(400) % 4, 5, 60, rng)
        assert scores.shape == (60,)
        assert scores.mean() == pytest.approx(0.25, abs=0.03)

    def test_one_example_left_to_ask(self):
        # Shown all but one of each, nearest mean is scikit-learn's on exactly these.
        rng = np.random.default_rng(5)
        x, labels = rng.normal(size=(12, 2)), np.arange(12) % 3
        (score,) = losses.few_shot_accuracy(x, labels, 3, 1, np.random.default_rng(1))
        order = np.random.default_rng(1).permutation(12)
        shown = np.concatenate([order[labels[order] == c][:3] for c in range(3)])
        asked = np.setdiff1d(order, shown)
        oracle = NearestCentroid().fit(x[shown], labels[shown])
        assert score == pytest.approx(oracle.score(x[asked], labels[asked]))

    def test_too_few_examples(self, rng):
        with pytest.raises(ValueError, match="a class has 2 examples; with shots 2 it needs more"):
            losses.few_shot_accuracy(np.ones((4, 2)), [0, 0, 1, 1], 2, 1, rng)


@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("loss", [losses.ContrastiveLoss, losses.SemiHardTripletLoss])
def test_margins(loss, margin):
    with pytest.raises(ValueError, match=rf"margin is {margin}; it must be a number in \(0"):
        loss(margin)


def test_bad_settings():
    with pytest.raises(ValueError, match=r"gamma is -1; it must be a number in \[0"):
        losses.BinaryFocalLoss(gamma=-1)
    with pytest.raises(ValueError, match=r"alpha is 2; it must be a number in \[0, 1\]"):
        losses.BinaryFocalLoss(alpha=2)
    with pytest.raises(ValueError, match="bins is 1; it must be a whole number of at least 2"):
        losses.AveragePrecision(bins=1)
    with pytest.raises(ValueError, match=r"largest is 0; it must be a number in \(0"):
        losses.AveragePrecision(largest=0)
    with pytest.raises(ValueError, match="num_classes is 0"):
        losses.Prototypes(0)
    with pytest.raises(ValueError, match=r"gamma is inf; it must be a number in \[0, ∞\)"):
        losses.BinaryFocalLoss(gamma=np.inf)
    with pytest.raises(ValueError, match=r"power is inf; it must be a number in \(0, ∞\)"):
        losses.PowerMeanPooling(power=np.inf)


def test_focal_terms_refuse_what_would_broadcast():
    with pytest.raises(ValueError, match=r"shape \(3,\) and y_pred \(3, 1\)"):
        losses.focal_terms(np.ones(3), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("labels", "embeddings"),
    [((4,), (5, 2)), ((6,), (5, 2)), ((1,), (5, 2)), ((5, 5), (5, 2)), ((5,), (5, 1, 2))],
)
def test_each_row_needs_one_label(labels, embeddings):
    labels, embeddings = np.ones(labels), np.ones(embeddings)
    for function in (losses.SemiHardTripletLoss(), lambda y, e: losses.all_pairs(e, y)):
        with pytest.raises(ValueError, match=r"they must be \(B,\) or \(B, 1\), and \(B, D\)"):
            function(labels, embeddings)


@pytest.mark.parametrize("size", [1, 3])
def test_each_example_needs_one_weight(size):
    with pytest.raises(ValueError, match=f"sample_weight has {size} numbers; y_true needs 4"):
        losses.AveragePrecision().update_state(np.ones(4), np.ones(4), np.ones(size))


class TestRowsAndLabels:
    functions = pytest.mark.parametrize(
        "function",
        [
            lambda e, y: losses.Prototypes(2).learn(e, y),
            lambda e, y: losses.few_shot_accuracy(e, y, 1, 1, np.random.default_rng(0)),
        ],
        ids=["prototypes", "few-shot"],
    )

    @functions
    @pytest.mark.parametrize("shape", [(5, 2), (3, 2), (0, 2)])
    def test_as_many_rows_as_labels(self, function, shape):
        with pytest.raises(ValueError, match=r"they must be \(n,\) and \(n, D\)"):
            function(np.ones(shape), [0, 0, 1, 1])

    @functions
    def test_rows_are_vectors_of_finite_numbers(self, function):
        with pytest.raises(ValueError, match=r"embeddings has shape \(4,\); it must be \(n, D\)"):
            function(np.ones(4), [0, 0, 1, 1])
        with pytest.raises(ValueError, match="embeddings holds NaN or infinite numbers"):
            function([[np.nan], [0], [0], [0]], [0, 0, 1, 1])

    def test_one_class_is_no_question(self):
        with pytest.raises(ValueError, match=r"classes \[0\]; it needs at least two"):
            losses.few_shot_accuracy(np.ones((4, 2)), [0] * 4, 1, 1, np.random.default_rng(0))

    @pytest.mark.parametrize("shape", [(1, 4), (4, 1), (0, 0)])
    def test_no_plane_in_so_few(self, shape):
        with pytest.raises(ValueError, match="with at least two of each"):
            losses.flatten(np.ones(shape))


def test_precision_at_recalls_that_cannot_be_reached():
    for recall in (1.2, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"all must be in \[0, 1\]"):
            losses.precision_at_recall([0, 1], [0.1, 0.2], [0.5, recall])
    with pytest.raises(ValueError, match="y_true holds no positive"):
        losses.precision_at_recall([0, 0], [0.1, 0.2], [0.5])
