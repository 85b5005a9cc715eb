import math
import tomllib

from helpers import ROOT, architectures, convolution

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers, ops

quick = settings(max_examples=40, deadline=None)


def model_of(shape, function, *arguments, **options):
    inputs = keras.Input(shape)
    return keras.Model(inputs, function(inputs, *arguments, **options))


class TestByHand:
    @quick
    @given(
        st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(1, 3)),
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
        st.integers(1, 3),
        st.sampled_from(convolution.PADDINGS),
    )
    def test_convolve_equals_keras(self, shape, kernel, stride, padding):
        rng = np.random.default_rng(0)
        image = rng.normal(size=shape)
        kernels = rng.normal(size=(*kernel[:2], shape[2], kernel[2]))
        expected = ops.conv(image[None], kernels, strides=stride, padding=padding)
        ours = convolution.convolve(image, kernels, stride, padding)
        np.testing.assert_allclose(ours, expected[0], atol=1e-5)

    def test_convolve_equals_four_loops(self):
        rng = np.random.default_rng(1)
        image, kernels = rng.normal(size=(5, 6, 2)), rng.normal(size=(3, 2, 2, 4))
        expected = np.zeros((3, 5, 4))
        for row, column, f in np.ndindex(expected.shape):
            window = image[row : row + 3, column : column + 2]
            expected[row, column, f] = np.sum(window * kernels[..., f])
        np.testing.assert_allclose(convolution.convolve(image, kernels), expected)

    @quick
    @given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 2), st.integers(1, 3))
    def test_max_pool_equals_keras(self, height, width, size, stride):
        image = np.random.default_rng(2).normal(size=(height, width, 3))
        expected = ops.max_pool(image[None], size, stride)[0]
        np.testing.assert_allclose(convolution.max_pool(image, size, stride), expected, atol=1e-6)

    def test_windows_of_pooling_do_not_overlap_unless_told(self):
        image = np.arange(16.0).reshape(4, 4, 1)
        assert convolution.max_pool(image)[..., 0].tolist() == [[5, 7], [13, 15]]


class TestArithmetic:
    @quick
    @given(
        st.integers(1, 20),
        st.integers(1, 5),
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from(convolution.PADDINGS),
    )
    def test_output_size_is_that_of_keras(self, size, kernel, stride, dilation, padding):
        assume(stride == 1 or dilation == 1)  # Keras does not take both
        assume(padding == "same" or dilation * (kernel - 1) < size)
        layer = layers.Conv1D(1, kernel, stride, padding=padding, dilation_rate=dilation)
        places = layer(np.zeros((1, size, 1))).shape[1]
        assert convolution.output_size(size, kernel, stride, padding, dilation) == places

    @quick
    @given(st.integers(3, 20), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3))
    def test_output_size_with_zeros_counted(self, size, kernel, stride, zeros):
        padded = np.zeros(size + 2 * zeros)
        places = len(range(0, len(padded) - kernel + 1, stride))
        assert convolution.output_size(size, kernel, stride, zeros) == places

    @quick
    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)),
            min_size=1,
            max_size=3,
        )
    )
    def test_receptive_field_is_what_an_output_sees(self, stack):
        assume(all(stride == 1 or dilation == 1 for _, stride, dilation in stack))
        field, jump = convolution.receptive_field(stack)
        y = tf.eye(field + jump)[:, :, None]  # row i is 1 at place i alone
        for kernel, stride, dilation in stack:
            ones = tf.ones((kernel, 1, 1))
            y = tf.nn.conv1d(y, ones, stride, "VALID", dilations=dilation)
        assert y.shape[1] == 2  # a field and one jump: room for exactly two outputs
        seen = [np.flatnonzero(y[:, output, 0]) for output in (0, 1)]
        assert seen[0][0] == 0
        assert seen[0][-1] == field - 1
        assert seen[1][0] == jump

    def test_receptive_field_of_vgg16(self):
        # A well-known figure: 212 pixels after the last pooling (Simonyan and Zisserman, 2015).
        stack = []
        for convolutions in (2, 2, 3, 3, 3):
            stack += [(3, 1)] * convolutions + [(2, 2)]
        assert convolution.receptive_field(stack) == (212, 32)


class TestCost:
    # He et al. (2016), table 1, in 10^9 multiply-adds for 224×224 pixels.
    @pytest.mark.parametrize(
        ("billions", "blocks", "bottleneck"),
        [(1.8, (2, 2, 2, 2), False), (3.6, (3, 4, 6, 3), False), (3.8, (3, 4, 6, 3), True)],
    )
    def test_resnet(self, billions, blocks, bottleneck):
        model = architectures.build_resnet((224, 224, 3), 1000, blocks, bottleneck)
        assert convolution.multiply_adds(model) / 1e9 == pytest.approx(billions, abs=0.07)

    def test_mobilenet(self):
        # Howard et al. (2017), table 4: 569 million multiply-adds.
        model = keras.applications.MobileNet(weights=None)
        assert round(convolution.multiply_adds(model) / 1e6) == 569

    def test_a_model_in_a_model_counts(self):
        inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3)])
        outer = keras.Sequential([keras.Input((8, 8, 3)), inner, layers.Flatten(), layers.Dense(5)])
        assert convolution.multiply_adds(outer) == 6 * 6 * 9 * 3 * 4 + 6 * 6 * 4 * 5

    def test_an_unknown_convolution_is_refused(self):
        model = keras.Sequential([keras.Input((8, 8, 3)), layers.SeparableConv2D(4, 3)])
        with pytest.raises(ValueError, match="SeparableConv2D"):
            convolution.multiply_adds(model)

    @quick
    @given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 2))
    def test_a_separable_block_costs_what_mobilenet_says(self, channels, filters, stride):
        shape = (8, 8, channels)
        separable = model_of(shape, convolution.separable_block, filters, stride)
        full = model_of(shape, convolution.convolution_block, filters, stride)
        assert separable.output_shape == full.output_shape
        ratio = convolution.multiply_adds(separable) / convolution.multiply_adds(full)
        assert ratio == pytest.approx(1 / filters + 1 / 9)

    def test_a_separable_block_is_a_full_one_of_rank_one(self):
        model = model_of((6, 6, 3), convolution.separable_block, 4)
        depthwise, pointwise = (w.numpy() for w in model.weights if w.name == "kernel")
        x = np.random.default_rng(0).normal(size=(6, 6, 3)).astype("float32")
        middle = np.concatenate(
            [
                convolution.convolve(x[..., i : i + 1], depthwise[:, :, i : i + 1], padding="same")
                for i in range(3)
            ],
            axis=-1,
        )
        scale = 1 / math.sqrt(1 + 1e-3)  # a new normalisation divides by √(1 + ε)
        middle = np.maximum(middle * scale, 0)
        expected = np.maximum(np.einsum("hwc,cf->hwf", middle, pointwise[0, 0]) * scale, 0)
        np.testing.assert_allclose(model(x[None])[0], expected, atol=1e-5)


class TestLeNet5:
    """LeCun et al. (1998), section II.B, gives the trainable weights of each layer."""

    def test_counts(self):
        model = convolution.build_lenet5()
        counts = {name: model.get_layer(name).count_params() for name in ("C1", "S2", "S4", "F6")}
        counts["C3"] = sum(model.get_layer(f"C3_{i}").count_params() for i in range(16))
        assert counts == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "F6": 10164}
        assert model.count_params() == 60_000

    def test_table_of_connections(self):
        # Every map of S2 is read by ten maps of C3.
        read = [i for maps in convolution.LENET_CONNECTIONS for i in maps]
        assert [read.count(i) for i in range(6)] == [10] * 6
        assert [len(set(maps)) for maps in convolution.LENET_CONNECTIONS] == [3] * 6 + [4] * 9 + [6]

    def test_it_runs(self):
        output = convolution.build_lenet5()(np.ones((2, 32, 32, 1), "float32"))
        assert output.shape == (2, 84)
        assert np.all(np.abs(output) < 1.7159)
        np.testing.assert_allclose(
            convolution.squash(np.array([-1.0, 0, 1])), [-1, 0, 1], atol=1e-4
        )


class TestClassifier:
    STAGES = ((4,), (6, 8))

    def test_shapes_and_blocks(self):
        model = convolution.build_classifier((12, 10, 3), 5, self.STAGES)
        assert model.output_shape == (None, 5)
        kernels = [tuple(w.shape) for w in model.trainable_weights if w.name == "kernel"]
        assert kernels == [(3, 3, 3, 4), (3, 3, 4, 6), (3, 3, 6, 8), (8, 5)]
        pools = [x.output.shape[1:3] for x in model.layers if isinstance(x, layers.MaxPooling2D)]
        assert pools == [(6, 5)]

    def test_a_separable_network_saves_in_every_block_but_the_first(self):
        block = convolution.separable_block
        model = convolution.build_classifier((12, 10, 3), 5, self.STAGES, block)
        madds = 120 * 27 * 4 + 30 * (4 * 9 + 4 * 6) + 30 * (6 * 9 + 6 * 8) + 8 * 5
        assert convolution.multiply_adds(model) == madds

    def test_any_size_of_image_has_the_same_parameters(self):
        small, large = (convolution.build_classifier((n, n, 1)).count_params() for n in (8, 64))
        assert small == large

    def test_augmentation_is_on_unless_switched_off(self):
        flip = layers.RandomFlip("horizontal", seed=0)
        model = convolution.build_classifier((8, 8, 1), augmentation=[flip], dropout=0.0)
        x = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype("float32")
        image = keras.Model(model.input, flip.output)
        np.testing.assert_array_equal(image(x, training=False), x)
        np.testing.assert_array_equal(image.predict(x, verbose=0), x)
        for options in ({"training": True}, {}):  # the lesson warns of the second
            flipped = np.array(image(x, **options))
            same = np.all(flipped == x, axis=(1, 2, 3))
            assert 0 < same.sum() < 16
            np.testing.assert_allclose(flipped[~same], x[~same][:, :, ::-1])

    def test_it_learns_where_a_line_points(self):
        rng = np.random.default_rng(0)
        x, y = np.zeros((64, 8, 8, 1), "float32"), np.arange(64) % 2
        for image, label, place in zip(x, y, rng.integers(0, 8, 64), strict=True):
            image[(place, slice(None)) if label else (slice(None), place)] = 1
        keras.utils.set_random_seed(0)
        model = convolution.build_classifier((8, 8, 1), 2, ((4,), (8,)), dropout=0.0)
        history = convolution.train_classifier(
            model, x, y, epochs=10, batch_size=20, learning_rate=0.02, validation=(x[:8], y[:8])
        )
        assert len(history["val_accuracy"]) == 10
        assert np.mean(convolution.logits(model, x).argmax(axis=-1) == y) > 0.95
        rate = model.optimizer.learning_rate  # four batches an epoch, the last a small one
        assert float(rate) == pytest.approx(0, abs=1e-6)


def test_the_full_profile_takes_a_step():
    profiles = tomllib.loads((ROOT / "notebooks" / "profiles.toml").read_text(encoding="utf-8"))
    full = profiles["01_convolution"]["full"]
    for stages, block in [
        (full["stages"], convolution.convolution_block),
        (full["separable_stages"], convolution.separable_block),
    ]:
        model = convolution.build_classifier((8, 8, 1), stages=stages, block=block)
        x = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(np.arange(2), logits)
        weights = [weight.value for weight in model.trainable_weights]
        gradients = tape.gradient(loss, weights)
        model.optimizer = keras.optimizers.Adam(full["learning_rate"])
        model.optimizer.apply(gradients, model.trainable_weights)
        assert np.all(np.isfinite(convolution.logits(model, x)))


class TestLooking:
    @pytest.fixture
    def model(self):
        return convolution.build_classifier((16, 16, 1), 3, ((4,), (6, 6)))

    def test_logits_do_not_depend_on_the_parts(self, model):
        x = np.random.default_rng(0).normal(size=(7, 16, 16, 1)).astype("float32")
        expected = model.predict(x, verbose=0)
        for batch_size in (3, 7, 100):
            ours = convolution.logits(model, x, batch_size)
            np.testing.assert_allclose(ours, expected, atol=1e-5)

    def test_feature_maps_are_those_of_the_blocks(self, model):
        x = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
        maps = convolution.feature_maps(model, x)
        assert [tuple(each.shape) for each in maps] == [(2, 16, 16, 4), *[(2, 8, 8, 6)] * 2]
        pooled = np.mean(maps[-1], axis=(1, 2))
        kernel, bias = model.layers[-1].get_weights()
        np.testing.assert_allclose(pooled @ kernel + bias, model(x, training=False), atol=1e-5)

    def test_liveliest_are_sorted_and_fill_the_range(self):
        maps = np.zeros((4, 4, 3))
        maps[:2, :, 0], maps[0, 0, 1], maps[..., 2] = 5, 1, 7  # the last is bright but constant
        first, second = convolution.liveliest(maps, count=2, side=8)
        np.testing.assert_array_equal(first, np.repeat([[1.0], [0.0]], 4, axis=0) * np.ones(8))
        assert second[:2, :2].min() == 1
        assert second.sum() == 4
        assert convolution.liveliest(np.zeros((4, 4, 1)), 1, 4).max() == 0

    def test_sensitivity_ends_at_the_receptive_field(self, model):
        x = np.random.default_rng(0).normal(size=(50, 16, 16, 1)).astype("float32")
        touched = convolution.sensitivity(model, x) > 0
        field, jump = convolution.receptive_field([(3, 1), (2, 2), (3, 1), (3, 1)])
        start = 4 * jump - 1 - 2 - 2  # paddings of 1 pixel, then twice 1 at a jump of 2
        expected = np.zeros((16, 16), bool)
        expected[start : start + field, start : start + field] = True
        np.testing.assert_array_equal(touched, expected)

    def test_sensitivity_takes_whole_numbers_as_pixels(self, model):
        x = np.random.default_rng(0).integers(0, 256, size=(3, 16, 16, 1), dtype="uint8")
        expected = convolution.sensitivity(model, x.astype("float32"))
        np.testing.assert_allclose(convolution.sensitivity(model, x), expected, rtol=1e-5)
        assert expected.max() > 0


class TestMistakes:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: convolution.convolve(np.ones((5, 5)), np.ones((3, 3, 1, 1))), "same C"),
            (lambda: convolution.convolve(np.ones((5, 5, 2)), np.ones((3, 3, 1, 1))), "same C"),
            (lambda: convolution.convolve(np.ones((2, 5, 1)), np.ones((3, 3, 1, 1))), "must fit"),
            (
                lambda: convolution.convolve(np.ones((5, 5, 1)), np.ones((3, 3, 1, 1)), 0),
                "stride is 0",
            ),
            (
                lambda: convolution.convolve(
                    np.ones((5, 5, 1)), np.ones((3, 3, 1, 1)), padding="full"
                ),
                "padding is 'full'",
            ),
            (lambda: convolution.max_pool(np.ones((5, 5))), r"\(H, W, C\)"),
            (lambda: convolution.max_pool(np.ones((5, 5, 1)), 2, 0), "stride is 0"),
            (lambda: convolution.max_pool(np.ones((5, 5, 1)), 2.0), "size is 2.0"),
            (lambda: convolution.output_size(5, 3, padding=True), "padding is True"),
            (lambda: convolution.output_size(3, 5), "reaches over 5 pixels and size is 3"),
            (lambda: convolution.output_size(5, 3, padding=-1), "padding is -1"),
            (lambda: convolution.output_size(5, 3, 0), "stride is 0"),
            (lambda: convolution.receptive_field([(3, 1), (3,)]), r"stack\[1\]"),
            (lambda: convolution.receptive_field([(3, 0)]), r"stack\[0\] stride is 0"),
            (lambda: convolution.receptive_field((3, 1)), r"stack\[0\] is 3"),
            (lambda: convolution.receptive_field([(3, 1, 0)]), r"stack\[0\] dilation is 0"),
            (
                lambda: convolution.multiply_adds(keras.Sequential([layers.Conv2D(4, 3)])),
                "is not built",
            ),
            (
                lambda: convolution.multiply_adds(
                    keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)])
                ),
                "must have a fixed size",
            ),
            (lambda: convolution.separable_block(keras.Input((4, 4, 1)), 0), "filters is 0"),
            (lambda: convolution.build_classifier(stages=()), "stages is"),
            (lambda: convolution.build_classifier(stages=(16, 32)), "stages is"),
            (lambda: convolution.build_classifier(num_classes=0), "num_classes is 0"),
            (lambda: convolution.build_classifier((28, 28)), r"\(H, W, C\)"),
            (lambda: convolution.enlarge(np.ones((2, 3)), 6), "must be square"),
            (lambda: convolution.enlarge(np.ones((0, 0)), 6), "must be square"),
            (lambda: convolution.enlarge(np.ones((2, 2)), 0), "side is 0"),
            (lambda: convolution.liveliest(np.ones((4, 4)), 1, 4), r"\(H, H, F\)"),
            (lambda: convolution.liveliest(np.ones((4, 4, 2)), 3, 4), "count is 3"),
            (lambda: convolution.liveliest(-np.ones((4, 4, 2)), 1, 4), "at least 0"),
            (lambda: convolution.liveliest(np.full((4, 4, 2), np.nan), 1, 4), "at least 0"),
            (lambda: convolution.logits(keras.Sequential(), np.ones((0, 4, 4, 1))), "images has"),
            (
                lambda: convolution.sensitivity(keras.Sequential(), np.ones((0, 4, 4, 1))),
                "images has",
            ),
            (
                lambda: convolution.sensitivity(model_of((3,), layers.ReLU()), np.ones((1, 3))),
                "no maps",
            ),
            (
                lambda: convolution.train_classifier(
                    None, [], [], epochs=0, batch_size=1, learning_rate=1.0
                ),
                "epochs is 0",
            ),
            (lambda: convolution.enlarge(np.ones((4, 4)), 6), "a multiple"),
            (
                lambda: convolution.logits(keras.Sequential(), np.ones((1, 2)), 0),
                "batch_size is 0",
            ),
            (
                lambda: convolution.feature_maps(
                    keras.Sequential([keras.Input((3,)), layers.Dense(2)]), np.ones((1, 3))
                ),
                "no layer ReLU",
            ),
            (lambda: convolution.build_classifier(stages=((8,), ())), "stages is"),
            (lambda: convolution.build_classifier((3, 8, 1)), "at least 4 pixels"),
        ],
    )
    def test_it_says_what_is_wrong(self, call, message):
        with pytest.raises(ValueError, match=message):
            call()
