from helpers import data, explain, plots, pretrained

import keras
import numpy as np
import pytest
import saliency.core as pair
import tensorflow as tf
from scipy import stats

RNG = np.random.default_rng(0)


def images(count=3, size=8):
    return np.random.default_rng(count).normal(size=(count, size, size, 3)).astype("float32")


def network(end="logits", activation="tanh", seed=0):
    """A small network; the same seed gives the same weights."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, padding="same", activation=activation, name="first")(x)
    x = keras.layers.Conv2D(5, 3, strides=2, activation=activation, name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if end == "softmax in the layer":
        outputs = keras.layers.Dense(4, "softmax", name="end")(x)
    elif end == "softmax in a model":
        inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "softmax")], name="end")
        outputs = inner(x)
    elif end == "sigmoid in the layer":
        outputs = keras.layers.Dense(4, "sigmoid", name="end")(x)
    else:
        outputs = keras.layers.Dense(4, name="end")(x)
        if end == "softmax layer":
            outputs = keras.layers.Softmax()(outputs)
        if end == "activation layer":
            outputs = keras.layers.Activation("softmax")(outputs)
        if end == "softmax operation":
            outputs = keras.ops.softmax(outputs)
        if end == "sigmoid operation":
            outputs = keras.ops.sigmoid(outputs)
    model = keras.Model(inputs, outputs)
    model.get_layer("end").set_weights(
        [
            np.random.default_rng(seed).normal(size=w.shape)
            for w in model.get_layer("end").get_weights()
        ]
    )
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def lite():
    return pretrained.efficientnet_lite0()


@pytest.fixture(scope="module")
def photos():
    return pretrained.preprocess([data.photo("cat"), data.photo("coffee")])


class TestGradients:
    def test_agree_with_finite_differences(self, model):
        x, step = images(), 1e-2
        found = explain.input_gradients(model, x, [1, 3, 0])
        direction = RNG.normal(size=x.shape).astype("float32")
        up, down = (model(x + sign * step * direction).numpy() for sign in (1, -1))
        slope = ((up - down) / (2 * step))[np.arange(3), [1, 3, 0]]
        np.testing.assert_allclose((found * direction).sum(axis=(1, 2, 3)), slope, rtol=2e-2)

    def test_more_images_than_fit_at_once(self, model):
        x = images(2 * explain.CHUNK + 3)
        found = explain.input_gradients(model, x, 2)
        alone = np.concatenate([explain.input_gradients(model, each[None], 2) for each in x])
        np.testing.assert_allclose(found, alone, atol=1e-6)

    def test_each_image_has_its_own_predicted_class(self, model):
        x = np.concatenate([images(20), 5 * images(20)])
        classes = model(x).numpy().argmax(axis=1)
        assert len(set(classes)) > 1
        found = explain.input_gradients(model, x)
        np.testing.assert_array_equal(found, explain.input_gradients(model, x, classes))

    @pytest.mark.parametrize(
        "end",
        [
            "softmax in the layer",
            "sigmoid in the layer",
            "softmax layer",
            "activation layer",
            "softmax operation",
            "sigmoid operation",
        ],
    )
    def test_the_logit_is_explained_whatever_the_end(self, model, end):
        other, x = network(end), images()
        np.testing.assert_allclose(explain.logits(other, x), model(x), atol=1e-6)
        for explanation in (
            lambda m: explain.input_gradients(m, x, 1),
            lambda m: explain.grad_cam(m, x, "first", 1),
            lambda m: explain.integrated_gradients(m, x, 1, steps=8),
            lambda m: explain.guided_gradients(m, x, 1),
        ):
            np.testing.assert_allclose(explanation(other), explanation(model), atol=1e-6)

    def test_a_softmax_within_a_last_model_is_refused(self):
        # Its probability would be explained instead of the logit.
        with pytest.raises(ValueError, match="ends in the model 'end' and its softmax"):
            explain.input_gradients(network("softmax in a model"), images(), 1)

    def test_weights_that_change_are_seen(self):
        model, x = network("softmax in the layer"), images()
        before = explain.input_gradients(model, x, 1)
        weights = model.get_layer("end").get_weights()
        model.get_layer("end").set_weights([2 * weights[0], weights[1]])
        np.testing.assert_allclose(explain.input_gradients(model, x, 1), 2 * before, rtol=1e-4)

    def test_a_sequential_model(self):
        blocks = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
        model = keras.Sequential(blocks)
        kernel = model.get_weights()[0]
        found = explain.input_gradients(model, images(2), [0, 1])
        np.testing.assert_allclose(found.reshape(2, -1), kernel.T, atol=1e-6)

    def test_the_model_can_still_be_saved(self, tmp_path):
        model = network()
        explain.input_gradients(model, images(), 1)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(again(images()), model(images()), atol=1e-6)


class TestSmoothGrad:
    def test_of_a_linear_model_is_its_gradient(self):
        blocks = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
        model, x = keras.Sequential(blocks), images()
        found = explain.smooth_grad(model, x, 1, samples=20)
        np.testing.assert_allclose(found, explain.input_gradients(model, x, 1), rtol=1e-4)

    def test_is_a_mean_over_noisy_copies(self, model):
        x, samples = images(2), 7
        found = explain.smooth_grad(model, x, 1, samples=samples, noise=0.3, seed=5)
        rng = np.random.default_rng(5)
        for image, mine in zip(x, found, strict=True):
            noise = rng.normal(size=(samples, *image.shape)) * 0.3 * (image.max() - image.min())
            truth = explain.input_gradients(model, image + noise, 1).mean(axis=0)
            np.testing.assert_allclose(mine, truth, atol=1e-5)

    def test_the_seed_decides(self, model):
        one, same, other = (explain.smooth_grad(model, images(), 1, 2, seed=s) for s in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert not np.allclose(one, other)


class TestGradCam:
    def test_equals_cam_on_a_linear_head(self, model):
        # Selvaraju et al. (2017), section 3.1: after global pooling the weights are the head's own.
        x, classes = images(5), np.array([0, 1, 2, 3, 1])
        features = keras.Model(model.input, model.get_layer("second").output)(x).numpy()
        kernel = model.get_layer("end").get_weights()[0]
        cam = np.maximum(np.einsum("bhwc,cb->bhw", features, kernel[:, classes]), 0)
        cam /= np.maximum(cam.max(axis=(1, 2), keepdims=True), 1e-12)
        found = explain.grad_cam(model, x, "second", classes)
        np.testing.assert_allclose(found, cam, atol=1e-5)
        assert found.max() == 1

    def test_equals_cam_on_the_pretrained_network(self, lite, photos):
        features = keras.Model(lite.input, lite.get_layer("head_relu").output)(photos).numpy()
        classes = lite(photos).numpy().argmax(axis=1)
        kernel = lite.get_layer("logits").get_weights()[0]
        cam = np.maximum(np.einsum("bhwc,cb->bhw", features, kernel[:, classes]), 0)
        cam /= cam.max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(explain.grad_cam(lite, photos, "head_relu"), cam, atol=1e-4)

    def test_agrees_with_pair(self, model):
        x = images(3)
        for image, found in zip(x, explain.grad_cam(model, x, "first", 2), strict=True):
            mask = pair.GradCam().GetMask(
                image, layer_values(model, "first", 2), should_resize=False, three_dims=False
            )
            np.testing.assert_allclose(found, mask / max(mask.max(), 1e-12), atol=1e-5)

    def test_a_map_on_which_nothing_speaks_for_the_class_is_zero(self):
        model = network(activation="relu")
        model.get_layer("end").set_weights([-np.ones((5, 4)), np.zeros(4)])
        np.testing.assert_array_equal(explain.grad_cam(model, images(), "second", 0), 0)

    def test_a_single_channel_and_a_map_of_one_place(self, lite):
        flat = pretrained.build_efficientnet_lite0((32, 32, 3), 3)
        found = explain.grad_cam(flat, np.zeros((2, 32, 32, 3)), "head_relu", 0)
        assert found.shape == (2, 1, 1)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("secnod", "no layer 'secnod'; near to it are second"),
            ("qqq", "no layer 'qqq'"),
            ("pool", "needs a feature map"),
            (7, "no layer 7"),
        ],
    )
    def test_impossible_layers(self, model, name, message):
        with pytest.raises(ValueError, match=message):
            explain.grad_cam(model, images(), name, 0)


def layer_values(model, name, index):
    both = keras.Model(model.input, [model.get_layer(name).output, model.output])

    def call(batch, call_model_args=None, expected_keys=None):
        with tf.GradientTape() as tape:
            features, logits = both(tf.constant(batch, tf.float32))
            chosen = logits[:, index]
        return {
            pair.CONVOLUTION_LAYER_VALUES: features.numpy(),
            pair.CONVOLUTION_OUTPUT_GRADIENTS: tape.gradient(chosen, features).numpy(),
        }

    return call


def gradient_values(model, index):
    @tf.function
    def gradient(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            chosen = model(batch)[:, index]
        return tape.gradient(chosen, batch)

    def call(batch, call_model_args=None, expected_keys=None):
        return {pair.INPUT_OUTPUT_GRADIENTS: gradient(tf.constant(batch, tf.float32)).numpy()}

    return call


class TestGuided:
    @pytest.mark.parametrize("kind", ["relu", "relu6"])
    def test_by_hand(self, kind):
        # One pixel, two ReLUs: the logit is 3 relu(2x) − 4 relu(x), the negative path is cut.
        x = inputs = keras.Input((1, 1, 1))
        x = keras.layers.Dense(2, use_bias=False, activation=kind)(x)
        outputs = keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(x))
        model = keras.Model(inputs, outputs)
        model.set_weights([np.array([[2.0, 1.0]]), np.array([[3.0], [-4.0]])])
        pixels = np.array([1.0, -1.0, 5.0]).reshape(3, 1, 1, 1)
        plain = explain.input_gradients(model, pixels, 0).ravel()
        guided = explain.guided_gradients(model, pixels, 0).ravel()
        saturated = kind == "relu6"  # 2 · 5 is above 6
        np.testing.assert_allclose(plain, [2, 0, -4 if saturated else 2])
        np.testing.assert_allclose(guided, [6, 0, 0 if saturated else 6])

    @pytest.mark.parametrize("layer", [keras.layers.ReLU(6.0), keras.layers.Activation("relu6")])
    def test_activations_that_are_layers(self, layer):
        inside = network(activation="relu6")
        x = inputs = keras.Input((8, 8, 3))
        for name, strides, padding in (("first", 1, "same"), ("second", 2, "valid")):
            filters = inside.get_layer(name).filters
            x = keras.layers.Conv2D(filters, 3, strides, padding=padding)(x)
            x = type(layer).from_config(layer.get_config() | {"name": f"{name}_relu"})(x)
        x = keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(x))
        outside = keras.Model(inputs, x)
        outside.set_weights(inside.get_weights())
        expected = explain.guided_gradients(inside, images(), 2)
        np.testing.assert_allclose(
            explain.guided_gradients(outside, images(), 2), expected, atol=1e-6
        )

    def test_the_model_itself_stays_as_it_is(self):
        model = network(activation="relu")
        before = explain.input_gradients(model, images(), 1), model(images()).numpy()
        guided = explain.guided_gradients(model, images(), 1)
        np.testing.assert_array_equal(model(images()), before[1])
        np.testing.assert_array_equal(explain.input_gradients(model, images(), 1), before[0])
        assert not np.allclose(guided, before[0])

    def test_guided_grad_cam_is_zero_where_grad_cam_is(self):
        model = network(activation="relu")
        cam = explain.grad_cam(model, images(), "first", 1)
        found = explain.guided_grad_cam(model, images(), "first", 1)
        np.testing.assert_allclose(
            found, cam[..., None] * explain.guided_gradients(model, images(), 1), atol=1e-6
        )


class TestIntegratedGradients:
    def test_of_a_linear_model_is_exact_at_one_step(self):
        blocks = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
        model, x = keras.Sequential(blocks), images()
        kernel = model.get_weights()[0][:, 1].reshape(8, 8, 3)
        found = explain.integrated_gradients(model, x, 1, baseline=np.ones_like(x), steps=1)
        np.testing.assert_allclose(found, (x - 1) * kernel, atol=1e-5)

    @pytest.mark.parametrize("power", [1, 2, 4])
    def test_of_a_product_in_closed_form(self, power):
        # F = x₁² x₂ along α x: ∫ 2 α² x₁ x₂ dα = 2/3 x₁ x₂, times x₁; and 1/3 for the other.
        class Product(keras.layers.Layer):
            def call(self, x):
                return x[:, 0, :, 0] ** 2 * x[:, 0, :, 1]

        inputs = keras.Input((1, 1, 2))
        model = keras.Model(inputs, Product()(inputs))
        x = np.array([[[[3.0, 2.0]]]], "float32")
        found = explain.integrated_gradients(model, x, 0, steps=400, power=power)
        np.testing.assert_allclose(found[0, 0, 0], [12, 6], rtol=1e-3)

    def test_adds_up_on_a_smooth_model(self, model):
        x, classes = images(), np.array([1, 3, 0])
        base = images(4)[3]
        found = explain.integrated_gradients(model, x, classes, base, steps=256)
        difference = (model(x).numpy() - model(base[None]).numpy())[np.arange(3), classes]
        np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), difference, rtol=1e-3)
        gaps = explain.completeness_gap(model, x, found, classes, base)
        assert gaps.shape == (3,)
        assert np.all(gaps < 1e-3)

    def test_the_gap_is_what_is_missing(self, model):
        x = images()
        found = explain.integrated_gradients(model, x, 1, steps=256)
        np.testing.assert_allclose(explain.completeness_gap(model, x, found / 2, 1), 0.5, atol=1e-2)

    def test_the_gap_where_there_is_nothing_to_explain(self, model):
        x = images(2)
        sums = np.zeros_like(x)
        sums[1] = 1
        gaps = explain.completeness_gap(model, x, sums, 1, baseline=x)
        np.testing.assert_array_equal(gaps, [0, np.inf])
        _, steps, gaps = explain.complete_integrated_gradients(model, x, 1, baseline=x, first=2)
        np.testing.assert_array_equal(gaps, 0)
        np.testing.assert_array_equal(steps, 2)

    def test_each_image_has_its_own_baseline(self, model):
        x, base = images(), images(6)[3:]
        found = explain.integrated_gradients(model, x, 1, base, steps=8)
        alone = [
            explain.integrated_gradients(model, i[None], 1, b, steps=8)[0]
            for i, b in zip(x, base, strict=True)
        ]
        np.testing.assert_allclose(found, alone, atol=1e-6)

    def test_agrees_with_pair_step_by_step(self, model):
        # PAIR's implementation takes the plain mean over evenly spaced points, ends included.
        self.check_against_pair(model, images(2), images(5)[4], index=1, steps=25)

    def test_agrees_with_pair_on_the_pretrained_network(self, lite, photos):
        self.check_against_pair(lite, photos[:1], np.full_like(photos[0], -127 / 128), 282, 12)

    def check_against_pair(self, model, x, baseline, index, steps):
        positions = np.linspace(0, 1, steps)
        weights = np.full(steps, 1 / steps)
        mean = explain.path_gradients(model, x, index, baseline, positions, weights)
        for image, found in zip(x, (x - baseline) * mean, strict=True):
            mask = pair.IntegratedGradients().GetMask(
                image,
                gradient_values(model, index),
                x_baseline=baseline,
                x_steps=steps,
                batch_size=6,
            )
            assert np.abs(found - mask).max() <= 1e-4 * np.abs(mask).max()

    def test_the_loop_gives_the_same_numbers(self, model):
        x, base = images(1), images(5)[4]
        loop = explain.integrated_gradients_in_a_loop(model, x, 1, base, steps=9)
        np.testing.assert_allclose(
            explain.integrated_gradients(model, x, 1, base, steps=9), loop, atol=1e-5
        )

    def test_converges_to_what_pair_converges_to(self, model):
        x = images(1)
        found = explain.integrated_gradients(model, x, 1, steps=200)[0]
        mask = pair.IntegratedGradients().GetMask(
            x[0], gradient_values(model, 1), x_steps=20_000, batch_size=1000
        )
        assert np.abs(found - mask).max() <= 1e-4 * np.abs(mask).max()

    @pytest.mark.parametrize("power", [1, 2, 3.5])
    @pytest.mark.parametrize("steps", [1, 2, 7])
    def test_points_and_weights(self, power, steps):
        positions, weights = explain.path_points(steps, power)
        assert positions.shape == weights.shape == (steps,)
        assert np.all(np.diff(positions) > 0)
        assert 0 < positions[0] <= positions[-1] < 1
        assert weights.sum() == pytest.approx(1)

    @pytest.mark.parametrize("power", [1, 2, 4])
    def test_points_integrate_a_cubic(self, power):
        positions, weights = explain.path_points(500, power)
        assert np.sum(weights * positions**3) == pytest.approx(1 / 4, rel=1e-4)

    def test_steps_double_until_it_adds_up(self, model):
        x = np.concatenate([images(3), 5 * images(2)[:1]])
        found, steps, gaps = explain.complete_integrated_gradients(
            model, x, 1, tolerance=0.002, first=2, most=256
        )
        assert np.all(gaps <= 0.002)
        assert set(steps) <= {2, 4, 8, 16, 32, 64, 128, 256}
        np.testing.assert_allclose(
            gaps, explain.completeness_gap(model, x, found, 1), rtol=1e-3, atol=1e-6
        )
        for image, count, mine in zip(x, steps, found, strict=True):
            alone = explain.integrated_gradients(model, image[None], 1, steps=int(count))[0]
            np.testing.assert_allclose(mine, alone, atol=1e-5)
            if count > 2:  # half as many were not enough
                fewer = explain.integrated_gradients(model, image[None], 1, steps=int(count) // 2)
                assert explain.completeness_gap(model, image[None], fewer, 1)[0] > 0.002

    def test_it_says_when_the_most_steps_are_not_enough(self, model):
        _, steps, gaps = explain.complete_integrated_gradients(
            model, 5 * images(2), 1, tolerance=1e-9, first=1, most=2
        )
        assert np.all(steps == 2)
        assert np.all(gaps > 1e-9)

    def test_the_sum_of_a_softmax_has_no_gradient(self):
        # Why the logit is explained and not the sum of the outputs.
        model, x = network("softmax in the layer"), tf.constant(images())
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(model(x))
        assert float(total) == pytest.approx(3)
        np.testing.assert_allclose(tape.gradient(total, x), 0, atol=1e-6)


class TestCurves:
    def test_a_pixel_that_decides(self):
        # The logit is the value of one pixel: to delete it first is to fall at the first step.
        blocks = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
        model = keras.Sequential(blocks)
        kernel = np.zeros((16, 2))
        kernel[5, 1] = 4
        model.set_weights([kernel, np.zeros(2)])
        x = np.ones((1, 4, 4, 1))
        best = np.zeros((1, 4, 4))
        best[0, 1, 1] = 1
        high = 1 / (1 + np.exp(-4))
        np.testing.assert_allclose(
            explain.deletion_curve(model, x, best, 1), [[high] + 16 * [0.5]], rtol=1e-5
        )
        np.testing.assert_allclose(
            explain.deletion_curve(model, x, -best, 1), [16 * [high] + [0.5]], rtol=1e-5
        )
        np.testing.assert_allclose(
            explain.insertion_curve(model, x, best, 1), [[0.5] + 16 * [high]], rtol=1e-5
        )

    def test_ends_are_the_image_and_its_replacement(self, model):
        x, base = images(), images(6)[3:]
        maps = RNG.random((3, 8, 8))
        curve = explain.deletion_curve(model, x, maps, 2, base, points=4)
        assert curve.shape == (3, 5)
        for images_, found in ((x, curve[:, 0]), (base, curve[:, -1])):
            np.testing.assert_allclose(found, keras.ops.softmax(model(images_))[:, 2], rtol=1e-5)
        back = explain.insertion_curve(model, x, -maps, 2, base, points=4)
        np.testing.assert_allclose(back, curve[:, ::-1], rtol=1e-5)

    @pytest.mark.parametrize("end", ["sigmoid in the layer", "sigmoid operation"])
    def test_the_probability_of_a_model_that_ends_in_a_sigmoid_is_its_own(self, end):
        model, x = network(end), images()
        curve = explain.deletion_curve(model, x, RNG.random((3, 8, 8)), [1, 3, 0], points=2)
        np.testing.assert_allclose(
            curve[:, 0], model(x).numpy()[np.arange(3), [1, 3, 0]], rtol=1e-5
        )

    @pytest.mark.parametrize("activation", [None, "sigmoid"])
    def test_a_single_output_is_a_sigmoid(self, activation):
        dense = keras.layers.Dense(1, activation)
        model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), dense])
        model.set_weights([np.full((16, 1), 0.25), np.zeros(1)])
        curve = explain.deletion_curve(model, np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4)), points=4)
        np.testing.assert_allclose(curve[0], 1 / (1 + np.exp([-4.0, -3, -2, -1, 0])), rtol=1e-5)

    def test_maps_of_another_size(self, model):
        with pytest.raises(ValueError, match=r"maps has shape \(3, 4, 4\); it must be \(3, 8, 8\)"):
            explain.deletion_curve(model, images(), np.zeros((3, 4, 4)), 1)

    def test_maps_that_rank_nothing(self, model):
        with pytest.raises(ValueError, match="maps holds values that are not finite"):
            explain.deletion_curve(model, images(), np.full((3, 8, 8), np.nan), 1)


class TestSanity:
    def test_shuffling_moves_the_numbers_of_the_named_layers_only(self):
        model = network()
        before = {layer.name: layer.get_weights() for layer in model.layers}
        with explain.shuffled_weights(model, ["second"], seed=3) as spoiled:
            for layer in spoiled.layers:
                for old, now in zip(before[layer.name], layer.get_weights(), strict=True):
                    np.testing.assert_array_equal(np.sort(old.ravel()), np.sort(now.ravel()))
                    if layer.name != "second":
                        np.testing.assert_array_equal(old, now)
            kernel = model.get_layer("second").get_weights()[0]
            assert not np.array_equal(kernel, before["second"][0])

    def test_the_weights_come_back_even_after_an_error(self):
        model = network()
        before = model.get_weights()
        with pytest.raises(RuntimeError), explain.shuffled_weights(model, ["end", "first"]):
            raise RuntimeError
        for old, now in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, now)

    def test_compiled_explanations_see_the_shuffled_weights(self, model):
        x = images(2)
        before = explain.input_gradients(model, x, 1)
        with explain.shuffled_weights(model, ["end", "second"]):
            assert not np.allclose(explain.input_gradients(model, x, 1), before)
        np.testing.assert_array_equal(explain.input_gradients(model, x, 1), before)

    def test_shuffling_a_layer_that_is_not_there(self, model):
        with pytest.raises(ValueError, match="no layer 'seond'; near to it are second"):
            explain.shuffled_weights(model, ["seond"]).__enter__()

    def test_sanity_check_by_hand(self, model):
        x = images(3)
        methods = {
            "gradient": lambda: explain.to_maps(explain.input_gradients(model, x, 1)),
            "picture": lambda: explain.to_maps(x),
            "nothing": lambda: np.zeros((3, 8, 8)),
        }
        found = explain.sanity_check(model, methods, ["end", "second"], seed=2)
        assert found["picture"] == pytest.approx([1, 1, 1])
        assert found["nothing"] == [1, 0, 0]
        right = methods["gradient"]()
        with explain.shuffled_weights(model, ["end", "second"], seed=2):
            truth = explain.rank_correlation(right, methods["gradient"]()).mean()
        assert found["gradient"][2] == pytest.approx(truth)

    def test_rank_correlation(self):
        a, b = RNG.random((2, 3, 4, 4))
        truth = [stats.spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
        np.testing.assert_allclose(explain.rank_correlation(a, b), truth)
        np.testing.assert_allclose(explain.rank_correlation(a, np.exp(a)), 1)
        assert np.isnan(explain.rank_correlation(a, np.zeros_like(a))).all()


class TestPictures:
    def test_maps_are_in_range_and_keep_the_order(self):
        attributions = RNG.normal(size=(2, 20, 20, 3))
        maps = explain.to_maps(attributions)
        assert maps.shape == (2, 20, 20)
        assert maps.min() >= 0
        assert maps.max() == 1
        sizes = np.abs(attributions).sum(axis=-1)
        cut = maps < 1
        assert np.mean(cut) >= 0.98
        for mine, size, kept in zip(maps, sizes, cut, strict=True):
            assert np.ptp((mine / size)[kept]) < 1e-12

    def test_no_attribution_gives_an_empty_map(self):
        np.testing.assert_array_equal(explain.to_maps(np.zeros((1, 4, 4, 3))), 0)

    def test_a_single_pixel_is_not_cut_away(self):
        one = np.zeros((1, 20, 20, 3))
        one[0, 3, 4] = 5
        assert explain.to_maps(one)[0, 3, 4] == 1

    def test_resized_maps(self):
        found = explain.resize_maps(np.full((2, 3, 3), 0.5), (9, 12))
        assert found.shape == (2, 9, 12)
        np.testing.assert_allclose(found, 0.5, atol=1e-6)

    def test_blur_keeps_the_mean_and_mixes_no_images(self):
        x = np.stack([np.zeros((9, 9, 3)), np.ones((9, 9, 3))])
        np.testing.assert_allclose(explain.blur(x, 3), x, atol=1e-5)

    def test_picker_draws_without_a_browser(self, model, monkeypatch):
        drawn, shown = [], []
        monkeypatch.setattr(plots, "overlays", lambda *a, **k: drawn.append((a, k)))
        monkeypatch.setattr(explain, "display", lambda bundle, raw: shown.append(bundle))
        maps = explain.layer_picker(
            model, images(1), np.zeros((1, 8, 8, 3)), ["first", "second"], 1
        )
        assert {name: each.shape for name, each in maps.items()} == {
            "first": (8, 8),
            "second": (3, 3),
        }
        ((pictures, heat), options), *_ = drawn
        assert pictures.shape == (2, 8, 8, 3)
        assert heat.shape == (2, 8, 8)
        assert options["titles"] == ["first 8×8", "second 3×3"]
        assert "application/vnd.jupyter.widget-view+json" in shown[0]
        assert "JupyterLab" in shown[0]["text/plain"]


class TestBadInput:
    @pytest.mark.parametrize(
        "function",
        [
            explain.input_gradients,
            explain.smooth_grad,
            explain.guided_gradients,
            explain.integrated_gradients,
            lambda m, x, c=0: explain.grad_cam(m, x, "first", c),
        ],
    )
    @pytest.mark.parametrize(
        ("x", "index", "message"),
        [
            (np.zeros((8, 8, 3)), 0, r"for one image, images\[None\]"),
            (np.zeros((2, 9, 8, 3)), 0, r"images has shape \(2, 9, 8, 3\)"),
            (np.zeros((2, 8, 8, 1)), 0, r"the model takes \(B, \*\(8, 8, 3\)\)"),
            (np.zeros((0, 8, 8, 3)), 0, "images has shape"),
            (np.full((1, 8, 8, 3), 255.0), 0, "look like bytes"),
            (np.full((1, 8, 8, 3), np.nan), 0, "not finite"),
            (np.zeros((1, 8, 8, 3)), 4, "the model has the classes 0 to 3"),
            (np.zeros((1, 8, 8, 3)), -1, "class_index is -1"),
            (np.zeros((1, 8, 8, 3)), 1.5, "must be a whole number"),
            (np.zeros((1, 8, 8, 3)), [1, 2], "one for each of the 1 images"),
        ],
    )
    def test_images_and_classes(self, model, function, x, index, message):
        with pytest.raises(ValueError, match=message):
            function(model, x, index)

    def test_baseline_of_another_shape(self, model):
        with pytest.raises(ValueError, match="baseline has shape"):
            explain.integrated_gradients(model, images(), 0, np.zeros((2, 8, 8, 3)))

    @pytest.mark.parametrize("steps", [0, 2.5, True])
    def test_steps(self, model, steps):
        with pytest.raises(ValueError, match="steps is"):
            explain.integrated_gradients(model, images(), 0, steps=steps)

    def test_power(self, model):
        with pytest.raises(ValueError, match="power is 0.5"):
            explain.path_points(4, 0.5)

    def test_models(self, model):
        with pytest.raises(ValueError, match="must be a functional"):
            explain.logits(lambda x: x, images())
        with pytest.raises(ValueError, match=r"one output \(B, classes\)"):
            features = keras.Model(model.input, model.get_layer("first").output)
            explain.logits(features, images())
        with pytest.raises(ValueError, match=r"one input \(B, H, W, C\)"):
            table = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
            explain.logits(table, np.zeros((3, 5)))

    def test_maps_to_compare(self):
        with pytest.raises(ValueError, match="maps has shape"):
            explain.rank_correlation(np.zeros((1, 2, 2)), np.zeros((1, 3, 3)))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"noise": -0.1}, "noise is -0.1"),
            ({"noise": np.nan}, "noise is nan"),
            ({"seed": -1}, "seed is -1"),
            ({"samples": 0}, "samples is 0"),
        ],
    )
    def test_smooth_grad(self, model, options, message):
        with pytest.raises(ValueError, match=message):
            explain.smooth_grad(model, images(), 0, **options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"first": 8, "most": 4}, "first is 8 and most 4"),
            ({"first": 0}, "first is 0"),
            ({"tolerance": -0.1}, "tolerance is -0.1"),
            ({"tolerance": np.nan}, "tolerance is nan"),
            ({"power": np.inf}, "power is inf"),
        ],
    )
    def test_steps_to_choose_from(self, model, options, message):
        with pytest.raises(ValueError, match=message):
            explain.complete_integrated_gradients(model, images(), 0, **options)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_baseline_that_is_not_finite(self, model, value):
        with pytest.raises(ValueError, match="baseline holds values that are not finite"):
            explain.integrated_gradients(model, images(), 0, np.full((8, 8, 3), value))

    def test_attributions_of_another_shape(self, model):
        # One image's attributions would else be compared with each image's difference.
        with pytest.raises(ValueError, match=r"attributions has shape \(1, 8, 8, 3\)"):
            explain.completeness_gap(model, images(), np.zeros((1, 8, 8, 3)), 0)

    def test_positions_without_weights(self, model):
        with pytest.raises(ValueError, match=r"positions has shape \(2,\) and weights \(3,\)"):
            explain.path_gradients(model, images(), 0, None, [0, 1], [0.3, 0.3, 0.4])

    def test_the_loop_takes_one_image(self, model):
        with pytest.raises(ValueError, match=r"image has shape \(3, 8, 8, 3\)"):
            explain.integrated_gradients_in_a_loop(model, images(), 0, 0)

    def test_what_is_drawn(self, model):
        with pytest.raises(ValueError, match=r"attributions has shape \(8, 8, 3\)"):
            explain.to_maps(images()[0])
        with pytest.raises(ValueError, match=r"maps has shape \(8, 8\); it must be \(B, h, w\)"):
            explain.resize_maps(np.zeros((8, 8)), (9, 9))
        with pytest.raises(ValueError, match=r"images has shape \(8, 8, 3\)"):
            explain.blur(images()[0])
        with pytest.raises(ValueError, match="sigma is -1"):
            explain.blur(images(), -1)
        with pytest.raises(ValueError, match="both must hold one image"):
            explain.layer_picker(model, images(2), np.zeros((2, 8, 8, 3)), ["first"], 0)

    def test_seed_of_the_shuffling(self, model):
        with pytest.raises(ValueError, match="seed is -1"):
            explain.shuffled_weights(model, ["end"], seed=-1).__enter__()
