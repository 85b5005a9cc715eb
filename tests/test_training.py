"""Tricks of training against closed forms, brute force and Keras' own options."""

import time

from helpers import training

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from scipy import stats
from sklearn.metrics import accuracy_score, log_loss

SCHEDULES = {
    "warm-up": training.WarmUpCosine(0.3, 50, warm_up=7),
    "cosine": training.WarmUpCosine(0.3, 50),
    "one-cycle": training.OneCycle(0.3, 50, share=0.4, start=0.1),
    "range test": training.RangeTest(1e-3, 10.0, 50),
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def digits(rng):
    """Thirty images and one-hot targets of ten classes, each three times."""
    x = rng.random((30, 12, 12, 1)).astype("float32")
    return x, np.eye(10, dtype="float32")[rng.permutation(np.repeat(np.arange(10), 3))]


def linear(size=12, classes=10, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((size, size, 1)), layers.Flatten(), layers.Dense(8, "tanh"), layers.Dense(10)]
    )


class IdleWeight(layers.Dense):
    """A layer with a weight that its call never uses."""

    def __init__(self):
        super().__init__(10)

    def build(self, input_shape):
        super().build(input_shape)
        self.idle = self.add_weight(shape=(3,), name="idle")


def cross_entropy(y, logits):
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))


class TestSchedules:
    def test_the_cosine_is_that_of_keras_and_stays_at_0(self):
        theirs = keras.optimizers.schedules.CosineDecay(0.3, 50)
        steps = np.arange(80, dtype="float32")
        ours = training.rates(SCHEDULES["cosine"], 80)
        np.testing.assert_allclose(ours, theirs(steps), atol=1e-7)
        assert np.all(np.abs(ours[50:]) < 1e-7)

    def test_the_warm_up_is_that_of_keras_one_step_earlier(self):
        theirs = keras.optimizers.schedules.CosineDecay(0.0, 43, warmup_target=0.3, warmup_steps=7)
        ours = training.rates(SCHEDULES["warm-up"], 60)
        np.testing.assert_allclose(ours[:7], [theirs(s) for s in np.arange(1, 8.0)], rtol=1e-5)
        np.testing.assert_allclose(ours[7:], [theirs(s) for s in np.arange(7, 60.0)], atol=1e-7)

    def test_one_cycle_rises_to_the_peak_at_its_share_and_falls_to_0(self):
        ours = training.rates(SCHEDULES["one-cycle"], 51)
        assert np.argmax(ours) == 20
        np.testing.assert_allclose(
            ours[[0, 10, 20, 35, 50]], [0.03, 0.165, 0.3, 0.15, 0], atol=1e-6
        )
        assert np.all(np.diff(ours[:21]) > 0)
        assert np.all(np.diff(ours[20:]) < 0)

    def test_a_range_test_multiplies_by_the_same_factor(self):
        ours = training.rates(SCHEDULES["range test"], 50)
        np.testing.assert_allclose(ours, np.geomspace(1e-3, 10, 50), rtol=1e-4)

    @pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
    def test_an_optimiser_saves_its_schedule_and_runs_it_compiled(self, schedule):
        optimizer = keras.optimizers.SGD(schedule)
        again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
        weight = keras.Variable(0.0)
        again.build([weight])
        step = tf.function(lambda: again.apply([ops.ones(())]))
        for _ in range(4):
            step()
        assert float(weight) == pytest.approx(-training.rates(schedule, 4).sum(), rel=1e-5)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: training.WarmUpCosine(0, 10), "peak is 0"),
            (lambda: training.WarmUpCosine(1, 0), "steps is 0"),
            (lambda: training.WarmUpCosine(1, 10, 10), "warm_up is 10"),
            (lambda: training.OneCycle(1, 10, share=1), "share is 1"),
            (lambda: training.OneCycle(1, 10, share=0), "share is 0"),
            (lambda: training.OneCycle(1, 10, start=2), "start is 2"),
            (lambda: training.RangeTest(0, 1, 10), "lowest is 0"),
            (lambda: training.RangeTest(1, 1, 10), "highest is 1"),
            (lambda: training.RangeTest(1, 2, 1), "steps is 1"),
        ],
    )
    def test_settings_without_a_meaning_are_refused(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()


class TestRangeTestReading:
    def test_the_running_mean_weighs_all_losses_so_far(self, rng):
        losses = rng.random(6)
        _, smoothed = training.read_range_test(np.geomspace(1, 2, 6), losses, smoothing=0.7)
        for i in range(6):
            weights = 0.7 ** np.arange(i, -1, -1)
            assert smoothed[i] == pytest.approx(np.average(losses[: i + 1], weights=weights))

    def test_it_suggests_half_of_the_rate_with_the_lowest_loss(self):
        tried = np.geomspace(1e-3, 1, 31)
        losses = (np.log10(tried) + 1) ** 2
        assert training.read_range_test(tried, losses, 0.0)[0] == pytest.approx(0.05)

    def test_an_explosion_at_the_end_does_no_harm(self):
        losses = [3.0, 2.0, 1.0, 9.0, np.inf, np.nan, np.nan]
        assert training.read_range_test(np.arange(1.0, 8), losses, 0.0)[0] == 1.5

    def test_losses_must_fit_the_rates(self):
        with pytest.raises(ValueError, match=r"tried is \(2,\) and losses is \(3,\)"):
            training.read_range_test([1, 2], [1, 2, 3])
        with pytest.raises(ValueError, match="first"):
            training.read_range_test([1, 2], [np.nan, 2])

    @pytest.mark.parametrize("smoothing", [-0.1, 1.0, np.nan])
    def test_a_running_mean_must_forget_and_move(self, smoothing):
        with pytest.raises(ValueError, match="smoothing is"):
            training.read_range_test([1, 2], [2, 1], smoothing)


class TestAccumulation:
    @pytest.mark.parametrize("micro_batch", [1, 7, 10, 30, 99])
    def test_parts_of_any_size_make_the_whole(self, digits, micro_batch):
        x, y = digits
        model = linear()
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, model(x))
        truth = tape.gradient(loss, [v.value for v in model.trainable_variables])
        found = training.accumulated_gradients(model, cross_entropy, x, y, micro_batch)
        for a, b in zip(found, truth, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)

    def test_batch_normalisation_sees_the_parts(self, digits):
        x, y = digits
        model = training.build_network(2, width=4, blocks=1)
        whole, parts = (
            training.accumulated_gradients(model, cross_entropy, x, y, size) for size in (30, 6)
        )
        assert max(np.max(np.abs(a - b)) for a, b in zip(whole, parts, strict=True)) > 1e-3

    def test_a_weight_that_plays_no_part_gets_zeros(self, digits):
        x, y = digits
        head = IdleWeight()
        model = keras.Sequential([keras.Input((12, 12, 1)), layers.Flatten(), head])
        found = training.accumulated_gradients(model, cross_entropy, x, y, 10)
        assert len(found) == len(model.trainable_variables) == 3
        assert any(g.shape == (3,) and np.all(g == 0) for g in found)

    def test_bad_input_is_refused(self, digits):
        x, y = digits
        with pytest.raises(ValueError, match="30 examples and y 29"):
            training.accumulated_gradients(linear(), cross_entropy, x, y[:29], 5)
        with pytest.raises(ValueError, match="micro_batch is 0"):
            training.accumulated_gradients(linear(), cross_entropy, x, y, 0)


class TestApplyEach:
    def test_each_call_is_a_step_of_the_optimiser(self, digits):
        x, y = digits
        model = linear()
        weights = model.get_weights()
        parts = [(x[:10], y[:10]), (x[10:30], y[10:30])]
        path = training.apply_each(model, weights, keras.optimizers.SGD(0.5), cross_entropy, parts)
        in_a_row = np.concatenate([w.ravel() for w in weights])
        assert path.shape == (3, in_a_row.size)
        np.testing.assert_array_equal(path[0], in_a_row)
        model.set_weights(weights)
        for i, part in enumerate(parts):
            slopes = training.accumulated_gradients(model, cross_entropy, *part, 99)
            in_a_row = in_a_row - 0.5 * np.concatenate([np.ravel(slope) for slope in slopes])
            np.testing.assert_allclose(path[i + 1], in_a_row, atol=1e-6)
            for variable, slope in zip(model.trainable_variables, slopes, strict=True):
                variable.assign_sub(0.5 * slope)

    def test_keras_collects_and_loses_the_leftover(self, digits):
        parts = [(digits[0][i::5], digits[1][i::5]) for i in range(5)]
        optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)
        model = linear()
        path = training.apply_each(model, model.get_weights(), optimizer, cross_entropy, parts)
        moved = np.any(np.diff(path, axis=0) != 0, axis=1)
        assert moved.tolist() == [False, True, False, True, False]

    def test_a_schedule_of_keras_counts_batches_and_not_updates(self, digits):
        parts = [(digits[0][i::6], digits[1][i::6]) for i in range(6)]
        # Rates 1, 2, …, one a batch: the updates come with the third and the sixth.
        rate = keras.optimizers.schedules.PolynomialDecay(1.0, 10, end_learning_rate=11.0)
        optimizer = keras.optimizers.SGD(rate, gradient_accumulation_steps=3)
        model = linear()
        weights = model.get_weights()
        path = training.apply_each(model, weights, optimizer, cross_entropy, parts)
        model.set_weights(weights)
        slopes = [training.accumulated_gradients(model, cross_entropy, *p, 99) for p in parts[:3]]
        mean = np.concatenate(
            [np.ravel(np.mean(slope, axis=0)) for slope in zip(*slopes, strict=True)]
        )
        np.testing.assert_allclose(path[3] - path[0], -3 * mean, atol=1e-6)
        assert int(optimizer.iterations) == 2
        assert float(optimizer.learning_rate) == pytest.approx(7)


class TestMixup:
    def test_every_example_is_mixed_with_one_partner_as_its_target_is(self, digits):
        x, y = digits
        mixed_x, mixed_y = training.mixup(x, y, 0.4, np.random.default_rng(5))
        again = np.random.default_rng(5)
        share, other = again.beta(0.4, 0.4, 30), again.permutation(30)
        for i in range(30):
            j, own = other[i], share[i]
            np.testing.assert_allclose(mixed_x[i], own * x[i] + (1 - own) * x[j], atol=1e-6)
            np.testing.assert_allclose(mixed_y[i], own * y[i] + (1 - own) * y[j], atol=1e-6)

    @pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
    def test_shares_follow_beta(self, alpha, rng):
        x = np.arange(4000.0)[:, None]
        mixed, rows = training.mixup(x, np.eye(2)[[0] * 4000], alpha, np.random.default_rng(1))
        other = np.random.default_rng(1)
        other.beta(alpha, alpha, 4000)
        partner = other.permutation(4000)
        apart = np.flatnonzero(np.abs(x[:, 0] - partner) > 100)
        share = (mixed[apart, 0] - partner[apart]) / (x[apart, 0] - partner[apart])
        assert stats.kstest(share, stats.beta(alpha, alpha).cdf).pvalue > 1e-3
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)

    def test_any_number_of_axes(self, rng):
        y = np.eye(3)[[0, 1, 2]]
        flat, _ = training.mixup(np.arange(18.0).reshape(3, 6), y, 1.0, np.random.default_rng(2))
        deep, _ = training.mixup(np.arange(18.0).reshape(3, 2, 3), y, 1.0, np.random.default_rng(2))
        np.testing.assert_array_equal(flat, deep.reshape(3, 6))

    @pytest.mark.parametrize(
        "y", [[3, 8], [[3], [8]], [[0.5, 0.2], [1, 0]], [[1, 0]], [[2, -1], [1, 0]]]
    )
    def test_what_is_no_row_of_probabilities_is_refused(self, y, rng):
        with pytest.raises(ValueError, match="class probabilities"):
            training.mixup(np.zeros((2, 4)), np.array(y), 0.4, rng)

    def test_alpha_must_be_positive(self, rng):
        with pytest.raises(ValueError, match="alpha is 0"):
            training.mixup(np.zeros((2, 4)), np.eye(2), 0, rng)


class TestInputsAndTargets:
    def test_smooth_labels_cost_what_keras_makes_them_cost(self, digits, rng):
        y, logits = digits[1], rng.normal(size=(30, 10)).astype("float32")
        theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
        ours = cross_entropy(training.smooth_labels(y, 0.2), logits)
        assert float(ours) == pytest.approx(float(theirs(y, logits)), rel=1e-5)
        with pytest.raises(ValueError, match="share is 1"):
            training.smooth_labels(y, 1)

    @pytest.mark.parametrize("y", [[3, 8], [[0.5, 0.2]], [[2, -1]]])
    def test_smoothing_refuses_what_is_no_row_of_probabilities(self, y):
        with pytest.raises(ValueError, match="class probabilities"):
            training.smooth_labels(y, 0.1)

    def test_shifts_move_whole_images_and_reach_every_place(self, rng):
        images = np.zeros((400, 7, 7, 1), "float32")
        images[:, 3, 3] = 1
        places = np.argwhere(training.shift(images, 2, rng)[..., 0])
        assert len(places) == 400
        counts = np.unique(places[:, 1:], axis=0, return_counts=True)
        assert counts[0].tolist() == [[r, c] for r in range(1, 6) for c in range(1, 6)]
        assert stats.chisquare(counts[1]).pvalue > 1e-3

    def test_what_leaves_the_image_is_lost(self, rng):
        image = rng.random((1, 5, 5, 2))
        padded = np.pad(image[0], ((2, 2), (2, 2), (0, 0)))
        windows = [padded[r : r + 5, c : c + 5] for r in range(5) for c in range(5)]
        for _ in range(20):
            moved = training.shift(image, 2, rng)[0]
            assert any(np.array_equal(moved, window) for window in windows)
        np.testing.assert_array_equal(training.shift(image, 0, rng), image)

    @pytest.mark.parametrize(("length", "size"), [(28, 14), (28, 20), (5, 3), (4, 4), (3, 5)])
    def test_shrinking_takes_means_over_areas(self, length, size, rng):
        images = rng.random((2, length, length, 3))
        # Each pixel repeated `size` times, the new ones are means over whole blocks of `length`.
        fine = images.repeat(size, axis=1).repeat(size, axis=2)
        blocks = fine.reshape(2, size, length, size, length, 3).mean(axis=(2, 4))
        np.testing.assert_allclose(training.shrink(images, size), blocks, atol=1e-6)
        pooled = training.AreaPooling(size)(images.astype("float32"))
        np.testing.assert_allclose(pooled, blocks, atol=1e-5)

    def test_area_pooling_survives_saving_and_half_precision(self, rng, tmp_path):
        model = keras.Sequential([keras.Input((None, None, 2)), training.AreaPooling(3)])
        model.save(tmp_path / "pool.keras")
        images = rng.random((2, 7, 8, 2)).astype("float32")
        again = keras.models.load_model(tmp_path / "pool.keras")
        np.testing.assert_array_equal(model(images), again(images))
        half = training.AreaPooling(1, dtype="mixed_float16")(images)
        assert half.dtype == "float16"
        np.testing.assert_allclose(half[:, 0, 0], images.mean(axis=(1, 2)), atol=2e-3)
        with pytest.raises(ValueError, match="size is 0"):
            training.AreaPooling(0)


class TestOrders:
    def test_every_epoch_shows_each_example_once(self, rng):
        order = training.shuffled(12, 9, 4, rng)
        assert order.shape == (9, 4)
        epochs = order.reshape(3, 12)
        assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
        assert len({tuple(epoch) for epoch in epochs}) == 3

    def test_leftovers_of_an_epoch_are_dropped(self, rng):
        order = training.shuffled(10, 5, 4, rng)
        assert order.shape == (5, 4)
        for epoch in (order[:2], order[2:4]):
            assert len(set(epoch.ravel())) == 8

    def test_a_curriculum_lets_in_the_hard_ones_by_and_by(self, rng):
        difficulty = rng.permutation(100)
        order = training.curriculum(difficulty, 400, 10, rng, start=0.2)
        hardest = difficulty[order].max(axis=1)
        allowed = 20 + 80 * np.minimum(1, np.arange(400) / 200)
        assert np.all(hardest < np.round(allowed))
        assert hardest[150:200].max() > 85
        assert len(np.unique(order[200:])) == 100
        assert all(len(set(batch)) == 10 for batch in order)

    def test_a_share_without_examples_is_refused(self, rng):
        with pytest.raises(ValueError, match="lets in 2 of 100"):
            training.curriculum(np.arange(100), 10, 5, rng, start=0.02)
        with pytest.raises(ValueError, match="start is 0"):
            training.curriculum(np.arange(100), 10, 5, rng, start=0)
        with pytest.raises(ValueError, match="batch_size is 13"):
            training.shuffled(12, 9, 13, rng)

    def test_difficulty_is_the_distance_from_the_mean_of_the_class(self, digits):
        x, y = digits
        labels = y.argmax(axis=1)
        for image, label, found in zip(x, labels, training.distance_from_mean(x, y), strict=True):
            truth = np.sum((image - x[labels == label].mean(axis=0)) ** 2)
            assert found == pytest.approx(truth, rel=1e-4)

    def test_a_class_without_examples_changes_no_difficulty(self, digits):
        x, y = digits
        wider = np.pad(y, ((0, 0), (0, 1)))
        np.testing.assert_array_equal(
            training.distance_from_mean(x, wider), training.distance_from_mean(x, y)
        )


class TestStochasticDepth:
    @pytest.mark.parametrize("survival", [0.2, 0.8])
    def test_it_keeps_the_expectation_and_drops_whole_examples(self, survival):
        layer = training.StochasticDepth(survival)
        branch = 1 + np.random.default_rng(0).random((20_000, 3, 2)).astype("float32")
        found = ops.convert_to_numpy(layer(branch, training=True))
        stays = (found != 0).all(axis=(1, 2))
        np.testing.assert_array_equal(stays, (found != 0).any(axis=(1, 2)))
        np.testing.assert_allclose(found[stays], branch[stays] / survival, rtol=1e-5)
        error = 5 * np.sqrt(survival * (1 - survival) / 20_000)
        assert stays.mean() == pytest.approx(survival, abs=error)
        assert found.mean() == pytest.approx(branch.mean(), abs=1.5 * error / survival)

    def test_draws_differ_from_call_to_call_when_compiled(self):
        layer = training.StochasticDepth(0.5)
        call = tf.function(lambda x: layer(x, training=True))
        first, second = (call(np.ones((64, 1), "float32")).numpy() for _ in range(2))
        assert not np.array_equal(first, second)

    def test_at_test_time_nothing_happens(self):
        branch = np.random.default_rng(0).random((5, 4)).astype("float32")
        np.testing.assert_array_equal(training.StochasticDepth(0.3)(branch), branch)
        np.testing.assert_array_equal(training.StochasticDepth(1.0)(branch, training=True), branch)

    def test_it_survives_saving_and_half_precision(self, tmp_path):
        model = keras.Sequential([keras.Input((4,)), training.StochasticDepth(0.3)])
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert again.layers[-1].survival_probability == 0.3
        half = training.StochasticDepth(0.5, dtype="mixed_float16")
        assert half(np.ones((3, 4)), training=True).dtype == "float16"

    @pytest.mark.parametrize("survival", [0, -0.1, 1.1])
    def test_what_is_no_probability_is_refused(self, survival):
        with pytest.raises(ValueError, match="survival_probability is"):
            training.StochasticDepth(survival)


class TestBench:
    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [
            ({}, {}),
            ({"weight_decay": 0.3}, {"decay": 0.3}),
            ({"global_clipnorm": 0.05}, {"clip": 0.05}),
            ({"use_ema": True, "ema_momentum": 0.7}, {"average": 0.7}),
        ],
        ids=["plain", "decay", "clip", "average"],
    )
    def test_it_does_what_the_options_of_keras_do(self, digits, theirs, ours):
        x, y = digits
        model = linear()
        start = model.get_weights()
        rates = np.float32([0.3, 0.1, 0.2])
        optimizer = keras.optimizers.SGD(0.3, momentum=0.9, nesterov=True, **theirs)
        for part, rate in zip(np.split(np.arange(30), 3), rates, strict=True):
            optimizer.learning_rate = rate
            gradients = training.accumulated_gradients(model, cross_entropy, x[part], y[part], 10)
            optimizer.apply(gradients, model.trainable_variables)
        optimizer.finalize_variable_values(model.trainable_variables)
        bench = training.Bench(linear(seed=1))
        bench.start(start)
        bench.train(x.reshape(3, 10, 12, 12, 1), y.reshape(3, 10, 10), rates, **ours)
        bench.finish()
        for a, b in zip(bench.model.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        pairs = zip(model.get_weights(), start, strict=True)
        assert max(np.max(np.abs(a - b)) for a, b in pairs) > 1e-3

    def test_a_run_leaves_no_trace_in_the_next(self, digits):
        x, y = (part.reshape(3, 10, *part.shape[1:]) for part in digits)
        bench = training.Bench(linear())
        start = bench.model.get_weights()
        results = []
        for _ in range(2):
            bench.start(start)
            losses = bench.train(x, y, [0.1, 0.1, 0.1], average=0.9)
            bench.finish()
            results.append((losses, *bench.model.get_weights()))
        for a, b in zip(*results, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_run_that_explodes_leaves_no_trace_either(self, digits):
        x, y = (part.reshape(3, 10, *part.shape[1:]) for part in digits)
        bench = training.Bench(linear())
        start = bench.model.get_weights()
        expected = []
        for rate in (0.1, np.inf, 0.1):
            bench.start(start)
            bench.train(x, y, [rate] * 3)
            bench.finish()
            expected.append(bench.model.get_weights())
        assert any(np.isnan(weight).any() for weight in expected[1])
        for a, b in zip(expected[0], expected[2], strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"rates": [0.1]}, "3 batches of images, 3 of targets and 1 rates"),
            ({"clip": 0}, "clip is 0"),
            ({"decay": -0.1}, "decay is -0.1"),
            ({"average": 1.0}, "average is 1.0"),
        ],
    )
    def test_numbers_without_a_meaning_are_refused(self, digits, change, message):
        x, y = (part.reshape(3, 10, *part.shape[1:]) for part in digits)
        settings = {"rates": [0.1, 0.1, 0.1]} | change
        with pytest.raises(ValueError, match=message):
            training.Bench(linear()).train(x, y, **settings)

    def test_a_run_can_go_on_and_change_the_size_of_images(self, digits):
        x, y = (part.reshape(3, 10, *part.shape[1:]) for part in digits)
        rates = np.float32([0.1, 0.2, 0.1])
        bench = training.Bench(training.build_network(2, width=4, blocks=1))
        start = bench.model.get_weights()
        bench.start(start)
        whole = bench.train(x, y, rates)
        bench.start(start)
        parts = [bench.train(x[i : i + 1], y[i : i + 1], rates[i : i + 1])[0] for i in range(3)]
        np.testing.assert_allclose(parts, whole, rtol=1e-5)
        assert np.isfinite(bench.train(training.shrink(x[0], 7)[None], y[:1], rates[:1])).all()

    def test_scores_are_those_of_scikit_learn(self, digits):
        x, y = digits
        labels = y.argmax(axis=1)
        bench = training.Bench(linear())
        p = keras.ops.convert_to_numpy(keras.ops.softmax(bench.model(x)))
        accuracy, nll = bench.evaluate(x, labels)
        assert accuracy == accuracy_score(labels, p.argmax(axis=1))
        assert nll == pytest.approx(log_loss(labels, p, labels=range(10)), rel=1e-5)


class Recorder:
    """Stands for a bench: keeps what it is shown, and costs what it is told."""

    def __init__(self, costs=()):
        self.shown, self.settings, self.costs = [], [], list(costs)
        self.model = self
        self.weights = 0

    def train(self, images, targets, rates, **settings):
        self.shown.append((images, targets, rates))
        self.settings.append(settings)
        self.weights += 1
        return np.zeros(len(rates))

    def evaluate(self, images, labels):
        self.judged = len(images)
        return 0.5, self.costs.pop(0)

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def finish(self):
        self.finished = True


class TestRecipes:
    def test_a_plain_run_shows_the_images_as_they_are(self, digits, rng):
        x, y = digits
        images, targets = training.batches(training.Recipe(), x, y, 6, 10, rng)
        assert images.shape == (6, 10, 12, 12, 1)
        for image, target in zip(
            images.reshape(-1, 12, 12, 1), targets.reshape(-1, 10), strict=True
        ):
            (place,) = np.flatnonzero((x == image).all(axis=(1, 2, 3)))
            np.testing.assert_array_equal(y[place], target)

    def test_settings_reach_the_step(self, digits, rng):
        bench = Recorder()
        recipe = training.Recipe(decay=0.1, clip=2.0, average=0.9)
        training.train(bench, recipe, *digits, np.ones(4), 10, rng)
        assert bench.settings == [{"decay": 0.1, "clip": 2.0, "average": 0.9}]
        assert bench.finished

    def test_sizes_grow_over_equal_parts_of_the_run(self, digits, rng):
        bench = Recorder()
        rates = np.arange(6.0)
        training.train(bench, training.Recipe(sizes=(4, 6, 12)), *digits, rates, 10, rng)
        assert [images.shape for images, _, _ in bench.shown] == [
            (2, 10, size, size, 1) for size in (4, 6, 12)
        ]
        np.testing.assert_array_equal(np.concatenate([r for _, _, r in bench.shown]), rates)

    def test_smoothing_and_mixup_change_the_targets(self, digits, rng):
        recipe = training.Recipe(smoothing=0.5, mixup=1.0, shift=1)
        _, targets = training.batches(recipe, *digits, 3, 10, rng)
        np.testing.assert_allclose(targets.sum(axis=2), 1, atol=1e-5)
        assert targets.min() >= 0.05 - 1e-6
        assert targets.max() <= 0.55 + 1e-6

    def test_a_curriculum_begins_with_what_is_near_its_mean(self, digits, rng):
        x, y = digits
        images, _ = training.batches(training.Recipe(curriculum=0.4), x, y, 10, 10, rng)
        easy = x[np.argsort(training.distance_from_mean(x, y))[:12]]
        for image in images[0]:
            assert (easy == image).all(axis=(1, 2, 3)).any()

    def test_early_stopping_waits_and_brings_back_the_best(self, digits, rng):
        bench = Recorder([3.0, 2.0, 2.5, 2.0, 9.0])
        recipe = training.Recipe(patience=2, hold_out=0.2)
        # Thirty examples, ten a step: the rates are laid out for epochs of three steps.
        losses = training.train(bench, recipe, *digits, np.ones(30), 10, rng)
        assert len(bench.shown) == 4
        assert len(losses) == 12
        assert bench.weights == 2
        assert bench.judged == 6
        images = np.concatenate([i.reshape(-1, 12, 12, 1) for i, _, _ in bench.shown])
        assert len(np.unique(images.reshape(len(images), -1), axis=0)) <= 24

    def test_early_stopping_of_a_run_that_exploded_brings_back_the_start(self, digits, rng):
        bench = Recorder([np.nan] * 3)
        training.train(bench, training.Recipe(patience=2), *digits, np.ones(9), 10, rng)
        assert len(bench.shown) == 2
        assert bench.weights == 0

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"patience": -1}, "patience is -1"),
            ({"patience": 2, "sizes": (6, 12)}, "patience is 2"),
            ({"patience": 2, "average": 0.9}, "patience is 2"),
            ({"hold_out": 0.0}, "hold_out is 0"),
            ({"curriculum": 1.5}, "curriculum 1.5"),
        ],
    )
    def test_recipes_without_a_meaning_are_refused(self, settings, message):
        with pytest.raises(ValueError, match=message):
            training.Recipe(**settings)

    def test_measuring_starts_each_run_anew(self, digits):
        bench = training.Bench(linear())
        start = bench.model.get_weights()
        test = digits[0], digits[1].argmax(axis=1)
        found = training.measure(
            bench, [start, start], training.Recipe(), [digits, digits], test, np.ones(3), 10
        )
        assert found.shape == (2, 3)
        assert np.all(found[:, 2] > 0)
        again = training.measure(bench, [start], training.Recipe(), [digits], test, np.ones(3), 10)
        np.testing.assert_array_equal(again[0, :2], found[0, :2])
        # The second run has another order.
        assert found[0, 1] != found[1, 1]


class TestTable:
    scores = {
        "a": {
            "plain": np.array([[0.5, 2.0, 1.0], [0.7, 1.0, 3.0]]),
            "new": np.array([[0.6, 1.5, 1.0], [0.6, 1.5, 1.0]]),
        }
    }

    def test_gains_are_paired_and_a_lower_nll_is_better(self):
        accuracy, nll = training.gains(self.scores)
        np.testing.assert_allclose(accuracy["a"]["new"], [0.1, -0.1])
        np.testing.assert_allclose(nll["a"]["new"], [0.5, -0.5])
        assert list(accuracy["a"]) == list(nll["a"]) == ["new"]

    def test_the_text_says_means_gains_and_their_range(self):
        _, plain, new = training.table(self.scores).splitlines()
        assert plain.split() == ["a", "plain", "0.600", "1.500", "2.00"]
        for words in ("[-0.100, +0.100]", "[-0.500, +0.500]", "0.600", "1.500", "1.00"):
            assert words in new

    def test_seconds_leave_the_first_call_out(self, digits):
        class Slow(Recorder):
            def train(self, images, targets, rates, **settings):
                time.sleep(0.01 * len(rates) if self.shown else 0.3)
                return super().train(images, targets, rates, **settings)

        bench = Slow()
        seconds = training.seconds_a_step(bench, *digits, steps=3, batch_size=10, repeats=2)
        assert 0.01 <= seconds < 0.1
        assert [len(rates) for _, _, rates in bench.shown] == [1, 3, 3]


def test_the_networks_of_the_lesson_take_a_step():
    rng = np.random.default_rng(0)
    model = training.build_network(4, survival_probability=0.8)
    assert model.output_shape == (None, 10)
    x, y = rng.random((1, 2, 28, 28, 1)).astype("float32"), np.eye(10, dtype="float32")[None, :2]
    assert np.isfinite(training.Bench(model).train(x, y, [0.1])).all()


def test_networks_differ_in_the_head_alone():
    sound, poor = (training.build_network(grid) for grid in (4, 1))
    shapes = [[tuple(w.shape) for w in model.weights] for model in (sound, poor)]
    assert shapes[0][:-2] == shapes[1][:-2]
    assert (shapes[0][-2], shapes[1][-2]) == ((256, 10), (16, 10))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grid": 0}, "grid is 0"),
        ({"grid": 1, "blocks": 0}, "blocks is 0"),
        ({"grid": 1, "survival_probability": 1.5}, "survival_probability is 1.5"),
        ({"grid": 1, "survival_probability": 0}, "survival_probability is 0"),
    ],
)
def test_networks_without_a_meaning_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        training.build_network(**settings)
