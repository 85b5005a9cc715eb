"""Adaptation and its gradients against closed forms, Keras' own training and finite differences."""

from helpers import metalearning as meta

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from sklearn.neighbors import NearestCentroid

GRADIENTS = {
    "maml": meta.maml_gradient,
    "first order": meta.first_order_gradient,
    "reptile": meta.reptile_gradient,
    "joint": meta.joint_gradient,
}
every_gradient = pytest.mark.parametrize("gradient", GRADIENTS.values(), ids=GRADIENTS)
RNG = np.random.default_rng(0)


def random_weights(sizes, seed=0, tasks=()):
    """Weights in double precision, shared or with a task axis."""
    rng = np.random.default_rng(seed)
    shapes = [s for a, b in zip(sizes[:-1], sizes[1:], strict=True) for s in ((a, b), (1, b))]
    return [tf.constant(rng.normal(size=(*tasks, *shape))) for shape in shapes]


def random_sets(tasks=3, points=4, width=2, out=1, seed=0):
    """A support and a query set of different size."""
    rng = np.random.default_rng(seed)
    return tuple(
        (rng.normal(size=(tasks, n, width)), rng.normal(size=(tasks, n, out)))
        for n in (points, points + 2)
    )


def two_slopes():
    """Two tasks y = c·x on points ±s, where the loss is h/2·(θ − c)² and the bias stays 0."""
    h, c = np.array([1.0, 6.0]), np.array([-1.0, 1.0])
    x = np.sqrt(h / 2)[:, None, None] * np.array([[1.0], [-1.0]])
    points = (x, c[:, None, None] * x)
    return h, c, points


class TestNetwork:
    def test_shared_weights_make_the_network_of_keras(self):
        sizes = (3, 5, 4, 2)
        layers = [keras.layers.Dense(5, "relu"), keras.layers.Dense(4, "relu")]
        theirs = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2)])
        weights = [np.float32(w) for w in random_weights(sizes)]
        theirs.set_weights([w if i % 2 == 0 else w[0] for i, w in enumerate(weights)])
        x = np.float32(RNG.normal(size=(7, 3)))
        np.testing.assert_allclose(meta.forward(weights, x), theirs(x), rtol=1e-5, atol=1e-5)

    def test_each_task_has_its_own_network(self):
        weights, x = random_weights((2, 5, 1), tasks=(3,)), RNG.normal(size=(3, 4, 2))
        together = meta.forward(weights, x)
        for i in range(3):
            alone = meta.forward([w[i] for w in weights], x[i])
            np.testing.assert_allclose(together[i], alone)

    @pytest.mark.parametrize(
        ("parts", "width", "message"),
        [(3, 2, "weights has 3 parts"), (0, 2, "weights has 0 parts"), (4, 5, "a width of 2")],
    )
    def test_what_does_not_fit_is_refused(self, parts, width, message):
        with pytest.raises(ValueError, match=message):
            meta.forward(random_weights((2, 4, 1))[:parts], np.ones((7, width)))


class TestScores:
    @pytest.mark.parametrize("score", [meta.squared_error, meta.cross_entropy, meta.accuracy])
    @pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (1, 4, 2), (3, 1, 2)])
    def test_nothing_is_broadcast(self, score, shape):
        with pytest.raises(ValueError, match=r"that of the predictions, \(3, 4, 2\)"):
            score(np.ones(shape), np.ones((3, 4, 2)))

    def test_losses_are_those_of_keras_for_each_task(self):
        y = np.eye(3, dtype="float32")[RNG.integers(0, 3, (5, 4))]
        logits = np.float32(RNG.normal(size=(5, 4, 3)) * 5)
        pairs = (
            (meta.squared_error, keras.losses.MeanSquaredError()),
            (meta.cross_entropy, keras.losses.CategoricalCrossentropy(from_logits=True)),
        )
        for ours, theirs in pairs:
            truth = [float(theirs(y[i], logits[i])) for i in range(5)]
            np.testing.assert_allclose(ours(y, logits), truth, rtol=1e-5)

    def test_cross_entropy_of_logits_without_bound(self):
        y, logits = np.array([[[1.0, 0.0]]]), np.array([[[-1000.0, 1000.0]]])
        np.testing.assert_allclose(meta.cross_entropy(y, logits), [2000])

    def test_accuracy_counts_in_each_task(self):
        y = np.eye(2)[[[0, 1], [0, 1]]]
        logits = np.array([[[2.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [-2.0, -1.0]]])
        np.testing.assert_allclose(meta.accuracy(y, logits), [1, 0.5])


class TestInnerLoop:
    def test_steps_are_those_of_keras_sgd_in_each_task(self):
        (x, y), _ = random_sets()
        weights = random_weights((2, 4, 1))
        adapted = meta.adapt(weights, (x, y), rate=0.1, steps=3)
        for task in range(3):
            variables = [tf.Variable(weight) for weight in weights]
            optimizer = tf.optimizers.SGD(0.1)
            for _ in range(3):
                with tf.GradientTape() as tape:
                    error = tf.reduce_mean((meta.forward(variables, x[task]) - y[task]) ** 2)
                optimizer.apply_gradients(
                    zip(tape.gradient(error, variables), variables, strict=True)
                )
            for ours, theirs in zip(adapted, variables, strict=True):
                np.testing.assert_allclose(ours[task], theirs, rtol=1e-5, atol=1e-7)

    def test_no_step_is_a_copy_for_each_task(self):
        support, _ = random_sets()
        weights = random_weights((2, 4, 1))
        for shared, own in zip(weights, meta.adapt(weights, support, 0.1, 0), strict=True):
            np.testing.assert_array_equal(own, np.stack([shared] * 3))

    def test_a_task_does_not_feel_the_others(self):
        support, _ = random_sets()
        changed = (support[0].copy(), support[1].copy())
        changed[1][2] += 100
        weights = random_weights((2, 4, 1))
        one, other = (meta.adapt(weights, s, 0.1, 2) for s in (support, changed))
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a[:2], b[:2])
            assert np.any(a[2] != b[2])

    @pytest.mark.parametrize("rate", [0, -0.1, np.nan, np.inf, "0.1", None])
    def test_a_rate_is_a_number_above_0(self, rate):
        support, _ = random_sets()
        with pytest.raises(ValueError, match=r"rate is .*in \(0, ∞\)"):
            meta.adapt(random_weights((2, 4, 1)), support, rate, 1)

    @pytest.mark.parametrize("steps", [-1, 1.5, True])
    def test_steps_are_a_whole_number(self, steps):
        sets, weights = random_sets(), random_weights((2, 4, 1))
        with pytest.raises(ValueError, match="steps is"):
            meta.adapt(weights, sets[0], 0.1, steps)
        with pytest.raises(ValueError, match="steps is"):
            meta.adaptation_curve(weights, *sets, 0.1, steps)

    def test_answers_without_the_axis_of_their_width_are_refused(self):
        # With as many points as tasks, (tasks, points) broadcasts: every task gets all answers.
        (x, y), _ = random_sets(tasks=4, points=4)
        with pytest.raises(ValueError, match=r"y has shape \(4, 4\)"):
            meta.adapt(random_weights((2, 4, 1)), (x, y[..., 0]), 0.1, 1)


class TestGradients:
    @pytest.mark.parametrize("loss", [meta.squared_error, meta.cross_entropy])
    @pytest.mark.parametrize("steps", [1, 3])
    def test_maml_agrees_with_finite_differences(self, loss, steps):
        support, query = random_sets(out=2)
        if loss is meta.cross_entropy:
            support, query = ((x, np.eye(2)[y.argmax(-1)]) for x, y in (support, query))
        weights = random_weights((2, 4, 3, 2))

        def after(moved):
            adapted = meta.adapt(moved, support, 0.05, steps, loss)
            return float(ops.mean(loss(query[1], meta.forward(adapted, query[0]))))

        value, gradients = meta.maml_gradient(weights, support, query, 0.05, steps, loss)
        assert float(value) == pytest.approx(after(weights))
        for direction in range(4):
            nudge = random_weights((2, 4, 3, 2), seed=direction + 1)
            up, down = (
                [w + s * 1e-6 * n for w, n in zip(weights, nudge, strict=True)] for s in (1, -1)
            )
            slope = sum(float(ops.sum(g * n)) for g, n in zip(gradients, nudge, strict=True))
            assert slope == pytest.approx((after(up) - after(down)) / 2e-6, rel=1e-3)

    def test_linear_regression_in_closed_form(self):
        # With X the points and a column of ones: (I − αH) g and g, H = 2/n XᵀX of the support.
        support, query = random_sets()
        weights = random_weights((2, 1))
        w = np.concatenate(weights)[:, 0]
        full, first = np.zeros(3), np.zeros(3)
        for task in range(3):
            (xs, ys), (xq, yq) = (
                (np.hstack([x[task], np.ones((x.shape[1], 1))]), y[task, :, 0])
                for x, y in (support, query)
            )
            hessian = 2 / len(ys) * xs.T @ xs
            adapted = w - 0.1 * 2 / len(ys) * xs.T @ (xs @ w - ys)
            gradient = 2 / len(yq) * xq.T @ (xq @ adapted - yq)
            full += (np.eye(3) - 0.1 * hessian) @ gradient / 3
            first += gradient / 3
        for gradient, truth in ((meta.maml_gradient, full), (meta.first_order_gradient, first)):
            _, found = gradient(weights, support, query, 0.1, 1)
            np.testing.assert_allclose(np.concatenate(found)[:, 0], truth)

    @pytest.mark.parametrize(
        ("gradient", "weight"),
        [
            (meta.joint_gradient, lambda h, alpha: h),
            (meta.maml_gradient, lambda h, alpha: h * (1 - alpha * h) ** 2),
            (meta.first_order_gradient, lambda h, alpha: h * (1 - alpha * h)),
            (meta.reptile_gradient, lambda h, alpha: alpha * h),
        ],
    )
    def test_weights_of_two_tasks_as_the_lesson_lists_them(self, gradient, weight):
        h, c, points = two_slopes()
        for theta in (-0.5, 0.3, 2.0):
            weights = [tf.constant([[theta]], "float64"), tf.zeros((1, 1), "float64")]
            _, (kernel, bias) = gradient(weights, points, points, 0.1, 1)
            truth = np.mean(weight(h, 0.1) * (theta - c))
            assert float(kernel[0, 0]) == pytest.approx(truth)
            assert float(bias[0, 0]) == pytest.approx(0)

    def test_one_step_of_reptile_is_a_step_of_ordinary_training(self):
        sets, weights = random_sets(), random_weights((2, 4, 1))
        _, reptile = meta.reptile_gradient(weights, *sets, 0.1, 1)
        _, joint = meta.joint_gradient(weights, *sets, 0.1, 1)
        for ours, theirs in zip(reptile, joint, strict=True):
            np.testing.assert_allclose(ours, 0.1 * theirs, atol=1e-12)

    def test_many_steps_of_reptile_lead_to_the_tasks_own_solutions(self):
        h, c, points = two_slopes()
        weights = [tf.constant([[0.3]], "float64"), tf.zeros((1, 1), "float64")]
        _, (kernel, _) = meta.reptile_gradient(weights, points, points, 0.1, 300)
        assert float(kernel[0, 0]) == pytest.approx(0.3 - c.mean())

    def test_nothing_is_second_order_without_inner_steps(self):
        sets, weights = random_sets(), random_weights((2, 4, 1))
        pair = [g(weights, *sets, 0.1, 0)[1] for g in list(GRADIENTS.values())[:2]]
        for full, first in zip(*pair, strict=True):
            np.testing.assert_allclose(full, first)


class TestMetaLearner:
    @every_gradient
    def test_a_step_of_fit_goes_down_the_gradient(self, gradient):
        sets = [tuple(np.float32(part) for part in pair) for pair in random_sets()]
        learner = meta.MetaLearner([2, 4, 1], gradient, inner_rate=0.1, inner_steps=2)
        before = learner.get_weights()
        loss, gradients = gradient([tf.constant(w) for w in before], *sets, 0.1, 2)
        learner.compile(keras.optimizers.SGD(0.5), jit_compile=gradient is meta.maml_gradient)
        history = learner.fit(*sets, batch_size=3, verbose=0).history
        assert history["loss"][0] == pytest.approx(float(loss), rel=1e-5)
        for old, new, slope in zip(before, learner.get_weights(), gradients, strict=True):
            np.testing.assert_allclose(new, old - 0.5 * np.array(slope), atol=1e-5)

    def test_steps_inside_one_call_are_the_same_steps(self):
        sets = [tuple(np.float32(part) for part in pair) for pair in random_sets(tasks=12)]
        results = []
        for steps in (1, 3):
            keras.utils.set_random_seed(0)
            learner = meta.MetaLearner([2, 4, 1], meta.maml_gradient)
            learner.compile(keras.optimizers.Adam(1e-2), steps_per_execution=steps)
            learner.fit(*sets, batch_size=2, shuffle=False, verbose=0)
            assert int(learner.optimizer.iterations) == 6
            results.append(learner.get_weights())
        for one, many in zip(*results, strict=True):
            np.testing.assert_allclose(one, many, atol=1e-6)

    def test_a_call_does_not_adapt(self):
        learner = meta.MetaLearner([2, 4, 1], meta.maml_gradient)
        x = np.float32(RNG.normal(size=(5, 2)))
        np.testing.assert_allclose(learner(x), meta.forward(learner.get_weights(), x), rtol=1e-5)

    def test_sizes_of_the_paper_at_full_size(self):
        learner = meta.MetaLearner([1, 40, 40, 1], meta.maml_gradient)
        assert learner.count_params() == 40 * 2 + 40 * 41 + 41

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sizes": [3]}, r"sizes is \[3\]"),
            ({"sizes": [3, 0]}, "positive widths"),
            ({"sizes": [3, 1.5]}, "positive widths"),
            ({"inner_rate": 0.0}, "inner_rate is 0.0"),
            ({"inner_rate": np.nan}, "inner_rate is nan"),
            ({"inner_steps": 0}, "inner_steps is 0"),
        ],
    )
    def test_bad_settings(self, options, message):
        with pytest.raises(ValueError, match=message):
            meta.MetaLearner(**{"sizes": [1, 1], "gradient": meta.maml_gradient} | options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"rate": np.nan}, "rate is nan"),
            ({"epochs": 0}, "epochs is 0"),
            ({"batch_size": 0}, "batch_size is 0"),
        ],
    )
    def test_bad_settings_of_training(self, options, message):
        learner = meta.MetaLearner([2, 1], meta.maml_gradient)
        with pytest.raises(ValueError, match=message):
            meta.train(learner, *random_sets(), **{"rate": 0.1, "epochs": 1} | options)

    def test_training_makes_the_start_adapt_better(self):
        # Half of the tasks are y = x, half y = −x: without adaptation nothing is better than 0.
        x = np.float32(RNG.uniform(-1, 1, (200, 10, 1)))
        y = x * np.float32([1, -1] * 100)[:, None, None]
        sets = (x[:, :5], y[:, :5]), (x[:, 5:], y[:, 5:])
        keras.utils.set_random_seed(0)
        learner = meta.MetaLearner([1, 20, 1], meta.maml_gradient, inner_rate=0.2)
        losses = meta.train(learner, *sets, 2e-2, epochs=40, jit_compile=True)
        assert len(losses) == 40
        assert int(learner.optimizer.iterations) == 320
        assert float(learner.optimizer.learning_rate) == pytest.approx(0, abs=1e-8)
        before, after = meta.adaptation_curve(learner.get_weights(), *sets, 0.2, 1).mean(axis=1)
        assert before > 0.9 * np.mean(y**2)
        assert after < 0.4 * np.mean(y**2)


class TestFiniteDifferences:
    def test_of_a_function_with_a_known_gradient(self):
        weights = [RNG.normal(size=(2, 3)), RNG.normal(size=(1, 3))]
        found = meta.finite_differences(lambda w: np.sum(w[0] ** 3) + np.sum(w[1]), weights)
        np.testing.assert_allclose(found[0], 3 * weights[0] ** 2, atol=1e-7)
        np.testing.assert_allclose(found[1], np.ones((1, 3)), rtol=1e-6)

    def test_single_precision_is_refused(self):
        with pytest.raises(ValueError, match="weights are float32"):
            meta.finite_differences(lambda w: np.sum(w[0]), [np.ones((1, 2), "float32")])
        with pytest.raises(ValueError, match="nudge is 0"):
            meta.finite_differences(lambda w: np.sum(w[0]), [np.ones((1, 2))], nudge=0)


class TestEvaluation:
    def test_curve_holds_each_task_after_each_step(self):
        support, query = random_sets()
        weights = random_weights((2, 4, 1))
        curve = meta.adaptation_curve(weights, support, query, 0.1, 3)
        assert curve.shape == (4, 3)
        for steps in range(4):
            adapted = meta.adapt(weights, support, 0.1, steps)
            truth = np.mean((meta.forward(adapted, query[0]) - query[1]) ** 2, axis=(1, 2))
            np.testing.assert_allclose(curve[steps], truth)

    def test_curve_may_score_otherwise_than_it_learns(self):
        support, query = ((x, np.eye(2)[(x[..., 0] > 0) * 1]) for x, _ in random_sets(points=9))
        curve = meta.adaptation_curve(
            random_weights((2, 2)), support, query, 0.5, 50, meta.cross_entropy, meta.accuracy
        )
        assert np.all((curve >= 0) & (curve <= 1))
        assert curve[-1].mean() > curve[0].mean()

    def test_best_rate_solves_a_parabola_in_one_step(self):
        # One step of rate 1/h ends at the minimum; more than 2/h diverges.
        _, _, (x, y) = two_slopes()
        steep = (x[1:], y[1:])
        weights = [tf.constant([[0.3]], "float64"), tf.zeros((1, 1), "float64")]
        rate, losses = meta.best_rate(weights, steep, steep, [0.01, 1 / 6, 0.3], 1)
        assert rate == 1 / 6
        assert losses[rate] == pytest.approx(0, abs=1e-12)
        assert list(losses) == [0.01, 1 / 6, 0.3]

    def test_best_rate_never_takes_one_that_explodes(self):
        sets, weights = random_sets(), [tf.cast(w, "float32") for w in random_weights((2, 4, 1))]
        sets = [tuple(np.float32(part) for part in pair) for pair in sets]
        rate, losses = meta.best_rate(weights, *sets, [100.0, 1e-3], 30)
        assert rate == 1e-3
        assert losses[100.0] == np.inf

    def test_best_of_no_rates(self):
        with pytest.raises(ValueError, match="rates is empty"):
            meta.best_rate(random_weights((2, 1)), *random_sets(), [], 1)


class TestDigitTasks:
    labels = np.repeat([3, 5, 8, 9], 12)
    images = np.arange(48, dtype="float32").reshape(48, 1, 1, 1)  # the pixel names the image

    def test_examples_of_a_task(self):
        rng = np.random.default_rng(0)
        (xs, ys), (xq, yq) = meta.few_shot(self.images, self.labels, 200, 3, 2, 4, rng)
        assert (xs.shape, ys.shape) == ((200, 6, 1), (200, 6, 3))
        assert (xq.shape, yq.shape) == ((200, 12, 1), (200, 12, 3))
        for x_support, y_support, x_query, y_query in zip(xs, ys, xq, yq, strict=True):
            names = np.concatenate([x_support, x_query])[:, 0].astype(int)
            assert len(set(names)) == 18, "an image is twice in a task"
            ways = np.concatenate([y_support, y_query]).argmax(axis=1)
            classes = [set(self.labels[names[ways == way]]) for way in range(3)]
            assert [len(each) for each in classes] == [1, 1, 1]
            assert len(set.union(*classes)) == 3
        np.testing.assert_array_equal(ys.sum(axis=1), np.full((200, 3), 2))
        np.testing.assert_array_equal(yq.sum(axis=2), np.ones((200, 12)))

    def test_classes_are_numbered_anew_in_each_task(self):
        rng = np.random.default_rng(1)
        (x, y), _ = meta.few_shot(self.images, self.labels, 300, 2, 1, 1, rng)
        first = self.labels[x[y[..., 0] == 1][:, 0].astype(int)]
        assert np.all(np.unique(first, return_counts=True)[1] > 45)

    @pytest.mark.parametrize(("ways", "shots"), [(5, 1), (2, 12)])
    def test_too_few_classes_or_images(self, ways, shots):
        with pytest.raises(ValueError, match="labels has 4 classes of 12 images"):
            meta.few_shot(self.images, self.labels, 1, ways, shots, 1, RNG)

    @pytest.mark.parametrize("name", ["count", "ways", "shots", "queries"])
    def test_numbers_of_a_task(self, name):
        numbers = {"count": 1, "ways": 2, "shots": 1, "queries": 1} | {name: 0}
        with pytest.raises(ValueError, match=f"{name} is 0"):
            meta.few_shot(self.images, self.labels, rng=RNG, **numbers)

    def test_each_image_has_a_label(self):
        with pytest.raises(ValueError, match=r"labels has shape \(40,\); 48 images"):
            meta.few_shot(self.images, self.labels[:40], 1, 2, 1, 1, RNG)
        with pytest.raises(ValueError, match=r"labels has shape \(40,\); 48 images"):
            meta.turned_and_mirrored(self.images, self.labels[:40])

    def test_only_square_images_are_turned(self):
        with pytest.raises(ValueError, match=r"images has shape \(2, 5, 4, 1\)"):
            meta.turned_and_mirrored(np.ones((2, 5, 4, 1)), np.array([0, 1]))

    def test_turning_makes_eight_classes_of_each(self):
        images, labels = RNG.random((6, 5, 5, 1)), np.array([0, 1, 2, 0, 1, 2])
        turned, new = meta.turned_and_mirrored(images, labels)
        assert turned.shape == (48, 5, 5, 1)
        np.testing.assert_array_equal(turned[:6], images)
        np.testing.assert_array_equal(np.unique(new, return_counts=True)[1], np.full(24, 2))
        np.testing.assert_array_equal(new % 3, np.tile(labels, 8))
        corner = {tuple(t.ravel()) for t in turned[::6]}
        symmetries = {
            tuple(np.rot90(side, k).ravel())
            for side in (images[0, ..., 0], images[0, ..., 0].T)
            for k in range(4)
        }
        assert corner == symmetries
        assert len(corner) == 8

    def test_nearest_mean_is_that_of_sklearn(self):
        x, query = RNG.normal(size=(4, 9, 3)), RNG.normal(size=(4, 20, 3))
        classes = np.tile([0, 1, 2], (4, 3))
        answers = meta.nearest_mean((x, np.eye(3)[classes]), query).argmax(axis=-1)
        for task in range(4):
            theirs = NearestCentroid().fit(x[task], classes[task]).predict(query[task])
            np.testing.assert_array_equal(answers[task], theirs)

    def test_mean_of_no_example(self):
        with pytest.raises(ValueError, match="support lacks an example"):
            meta.nearest_mean((np.ones((1, 2, 3)), np.eye(3)[[[0, 1]]]), np.ones((1, 4, 3)))
