import math
import re
import tomllib

from helpers import ROOT, architectures
from helpers.convolution import multiply_adds

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

IMAGENET = (64, 64, 3)  # parameters do not depend on the sides


def block_of(function, shape, *arguments, **options):
    inputs = keras.Input(shape)
    return keras.Model(inputs, function(inputs, *arguments, **options))


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class TestPapersTables:
    @pytest.mark.parametrize(
        ("millions", "blocks", "bottleneck"),
        [(11.69, (2, 2, 2, 2), False), (21.80, (3, 4, 6, 3), False), (25.56, (3, 4, 6, 3), True)],
        ids=["ResNet-18", "ResNet-34", "ResNet-50"],
    )
    def test_resnet(self, millions, blocks, bottleneck):
        model = architectures.build_resnet(IMAGENET, 1000, blocks, bottleneck)
        assert round(architectures.trainable_parameters(model) / 1e6, 2) == millions

    # He et al. (2016), table 6.
    @pytest.mark.parametrize(
        ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
    )
    def test_cifar_resnet(self, depth, millions):
        model = architectures.build_cifar_resnet(depth)
        digits = len(str(millions).split(".")[1])
        assert round(architectures.trainable_parameters(model) / 1e6, digits) == millions

    # Huang et al. (2017), table 2; DenseNet-121 is what the layers of their table 1 add up to.
    @pytest.mark.parametrize(
        ("millions", "build"),
        [
            (1.0, lambda: architectures.build_cifar_densenet(40, 12, False, 1.0)),
            (0.8, lambda: architectures.build_cifar_densenet(100, 12)),
            (7.98, lambda: architectures.build_densenet(IMAGENET, 1000)),
        ],
        ids=["DenseNet-40", "DenseNet-BC-100", "DenseNet-121"],
    )
    def test_densenet(self, millions, build):
        digits = len(str(millions).split(".")[1])
        assert round(architectures.trainable_parameters(build()) / 1e6, digits) == millions

    # Szegedy et al. (2015), table 1, in units of 1,024. The first column follows from the widths in
    # the same table; where the paper prints another number, it stands in the second.
    @pytest.mark.parametrize(
        ("name", "channels", "follows", "printed"),
        [
            ("3a", 192, 159, 159),
            ("3b", 256, 379, 380),
            ("4a", 480, 367, 364),
            ("4b", 512, 438, 437),
            ("4c", 512, 497, 463),
            ("4d", 512, 590, 580),
            ("4e", 528, 847, 840),
            ("5a", 832, 1018, 1072),
            ("5b", 832, 1409, 1388),
        ],
    )
    def test_googlenet_module(self, name, channels, follows, printed):
        widths = architectures.GOOGLENET_MODULES[name]
        model = block_of(architectures.inception_module, (8, 8, channels), widths)
        kernels = sum(
            math.prod(weight.shape) for weight in model.weights if weight.name == "kernel"
        )
        assert abs(kernels / 1024 - follows) <= 1
        assert abs(follows - printed) / printed < 0.08
        one, _, three, _, five, projection = widths
        assert model.output_shape[-1] == one + three + five + projection

    def test_googlenet(self):
        model = architectures.build_googlenet((224, 224, 3), 1000)
        assert round(architectures.trainable_parameters(model) / 1e6) == 7
        sizes = {name: model.get_layer(name).output.shape[1:] for name in ("3a", "4e", "5b")}
        assert sizes == {"3a": (28, 28, 256), "4e": (14, 14, 832), "5b": (7, 7, 1024)}


class TestAgainstKeras:
    """Our networks compute what `keras.applications` computes with the same random weights."""

    def in_order_of_creation(self, model, kind):
        found = [layer for layer in model.layers if isinstance(layer, kind)]
        return sorted(found, key=lambda each: int((re.findall(r"_(\d+)$", each.name) or [0])[0]))

    def give_both_the_same_weights(self, ours, theirs, kind, names):
        rng = np.random.default_rng(0)
        mine = self.in_order_of_creation(ours, kind)
        for layer, name in zip(mine, names, strict=True):
            source = theirs.get_layer(name)
            weights = [rng.normal(1, 0.1, each.shape) for each in source.get_weights()]
            if kind is layers.Conv2D:
                fan_in = math.prod(weights[0].shape[:3])
                weights[0] = rng.normal(0, fan_in**-0.5, weights[0].shape)
                # Keras' ResNet has biases before its batch normalisations, ours has none.
                weights[1:] = [np.zeros_like(bias) for bias in weights[1:]]
            source.set_weights(weights)
            layer.set_weights(weights[:1] if kind is layers.Conv2D else weights)

    def compare(self, ours, theirs, convolutions, normalisations):
        self.give_both_the_same_weights(ours, theirs, layers.Conv2D, convolutions)
        self.give_both_the_same_weights(ours, theirs, layers.BatchNormalization, normalisations)
        ours.layers[-1].set_weights(theirs.layers[-1].get_weights())
        x = images(2, *ours.input_shape[1:])
        expected = theirs(x, training=False).numpy()
        assert expected.std() > 1e-3
        tolerance = 1e-4 * np.abs(expected).max()
        np.testing.assert_allclose(ours(x, training=False), expected, atol=tolerance, rtol=0)

    def test_resnet50(self):
        keras.utils.clear_session()
        ours = architectures.build_resnet(IMAGENET, 10, (3, 4, 6, 3), bottleneck=True)
        theirs = keras.applications.ResNet50(
            weights=None, input_shape=IMAGENET, classes=10, classifier_activation=None
        )
        names = ["conv1"]
        for stage, count in zip((2, 3, 4, 5), (3, 4, 6, 3), strict=True):
            for block in range(1, count + 1):
                # Keras calls the projection 0.
                parts = (1, 2, 3, 0) if block == 1 else (1, 2, 3)
                names += [f"conv{stage}_block{block}_{part}" for part in parts]
        both = ([f"{name}_conv" for name in names], [f"{name}_bn" for name in names])
        self.compare(ours, theirs, *both)

    def test_densenet121(self):
        keras.utils.clear_session()
        ours = architectures.build_densenet(IMAGENET, 10)
        theirs = keras.applications.DenseNet121(
            weights=None, input_shape=IMAGENET, classes=10, classifier_activation=None
        )
        convolutions, normalisations = ["conv1_conv"], ["conv1_bn"]
        for stage, count in zip((2, 3, 4, 5), (6, 12, 24, 16), strict=True):
            for block in range(1, count + 1):
                name = f"conv{stage}_block{block}"
                convolutions += [f"{name}_1_conv", f"{name}_2_conv"]
                normalisations += [f"{name}_0_bn", f"{name}_1_bn"]
            convolutions += [f"pool{stage}_conv"] if stage < 5 else []
            normalisations += [f"pool{stage}_bn"] if stage < 5 else ["bn"]
        self.compare(ours, theirs, convolutions, normalisations)


class TestFullSize:
    """The lesson's networks at full scale take a step that leaves a finite loss."""

    @pytest.mark.parametrize("family", ["resnet", "densenet"])
    def test_one_step(self, family):
        path = ROOT / "notebooks" / "profiles.toml"
        profile = tomllib.loads(path.read_text(encoding="utf-8"))["05_resnet_inception_densenet"]
        full = profile["full"]
        shape = {"input_shape": (28, 28, 1), "stem_stride": full["stem_stride"]}
        if family == "resnet":
            model = architectures.build_cifar_resnet(full["depth"], widths=full["widths"], **shape)
        else:
            model = architectures.build_cifar_densenet(
                full["dense_depth"], full["growth_rate"], **shape
            )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss, run_eagerly=True)
        assert np.isfinite(model.train_on_batch(images(2, 28, 28, 1), np.array([0, 1])))


class TestRelativeGradients:
    def test_equals_the_closed_form_of_a_linear_classifier(self):
        inputs = keras.Input((3, 2, 1))
        outputs = layers.Dense(4)(layers.Flatten()(inputs))
        model = keras.Model(inputs, outputs)
        x, labels = images(5, 3, 2, 1), np.array([0, 3, 1, 1, 2])
        kernel, bias = model.get_weights()
        exponentials = np.exp(x.reshape(5, 6) @ kernel + bias)
        wrong_by = exponentials / exponentials.sum(axis=1, keepdims=True) - np.eye(4)[labels]
        gradient = x.reshape(5, 6).T @ wrong_by / 5
        expected = np.linalg.norm(gradient) / np.linalg.norm(kernel)
        found = architectures.relative_gradients(model, x, labels)
        np.testing.assert_allclose(found, [expected], rtol=1e-5)

    def test_gives_a_number_for_each_layer_with_weights(self):
        model = architectures.build_cifar_resnet(14, (12, 12, 1), widths=(4, 6, 8))
        found = architectures.relative_gradients(model, images(6, 12, 12, 1), np.arange(6))
        assert found.shape == (14,)
        assert np.all(found > 0)

    @pytest.mark.parametrize(
        "labels", [np.arange(5), np.arange(6)[:, None], np.eye(10)[:6]], ids=["5", "6×1", "6×10"]
    )
    def test_asks_for_one_label_an_image(self, labels):
        model = architectures.build_cifar_resnet(8, (12, 12, 1), widths=(4, 6, 8))
        with pytest.raises(ValueError, match=r"labels has the shape .* 6 images"):
            architectures.relative_gradients(model, images(6, 12, 12, 1), labels)

    def test_asks_for_an_image(self):
        model = architectures.build_cifar_resnet(8, (12, 12, 1), widths=(4, 6, 8))
        with pytest.raises(ValueError, match="at least one image"):
            architectures.relative_gradients(model, images(0, 12, 12, 1), np.arange(0))


class TestResidualBlocks:
    def test_with_its_branch_at_zero_a_block_is_the_identity(self):
        model = block_of(architectures.residual_block, (6, 5, 4), 4)
        gamma = [w for w in model.weights if w.name == "gamma"][-1]
        gamma.assign(np.zeros(gamma.shape))
        x = np.abs(images(2, 6, 5, 4))
        np.testing.assert_allclose(model(x), x, atol=1e-6)

    def test_without_the_shortcut_the_same_block_is_dead(self):
        model = block_of(architectures.plain_block, (6, 5, 4), 4)
        gamma = [w for w in model.weights if w.name == "gamma"][-1]
        gamma.assign(np.zeros(gamma.shape))
        assert not np.any(model(np.abs(images(2, 6, 5, 4))))

    @settings(max_examples=10, deadline=None)
    @given(
        st.sampled_from(["residual_block", "padded_residual_block", "plain_block"]),
        st.integers(4, 9),
        st.integers(4, 9),
        st.integers(1, 3),
        st.integers(3, 6),
        st.integers(1, 2),
    )
    def test_shapes(self, name, height, width, channels, filters, stride):
        block = getattr(architectures, name)
        model = block_of(block, (height, width, channels), filters, stride=stride)
        sides = (-(-height // stride), -(-width // stride))
        assert model.output_shape[1:] == (*sides, filters)
        assert model(images(2, height, width, channels)).shape == (2, *sides, filters)

    @pytest.mark.parametrize("stride", [1, 2])
    def test_bottleneck_shape(self, stride):
        model = block_of(architectures.bottleneck_block, (8, 8, 12), 3, stride=stride)
        assert model.output_shape[1:] == (8 // stride, 8 // stride, 12)

    def test_the_padded_shortcut_equals_slicing_and_zeros(self):
        x = images(2, 7, 6, 3)
        expected = np.zeros((2, 4, 3, 5), "float32")
        expected[..., :3] = x[:, ::2, ::2]
        layer = architectures.PaddedShortcut(5, 2)
        np.testing.assert_array_equal(layer(x), expected)
        assert layer.compute_output_shape(x.shape) == expected.shape

    def test_the_padded_shortcut_drops_no_channels(self):
        with pytest.raises(ValueError, match="filters is 2 and the input has 3"):
            architectures.PaddedShortcut(2)(images(1, 4, 4, 3))

    def test_shortcuts_cost_no_parameters_at_equal_depth(self):
        residual = architectures.build_cifar_resnet(20)
        plain = architectures.build_cifar_plain(20)
        assert architectures.trainable_parameters(residual) == architectures.trainable_parameters(
            plain
        )

    def test_depth_counts_the_layers_with_weights(self):
        model = architectures.build_cifar_resnet(20)
        kinds = (layers.Conv2D, layers.Dense)
        assert sum(isinstance(layer, kinds) for layer in model.layers) == 20

    def test_saving_keeps_the_output(self, tmp_path):
        model = architectures.build_cifar_resnet(8, (12, 12, 1), widths=(4, 6, 8))
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        x = images(3, 12, 12, 1)
        np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)

    def test_a_step_changes_every_weight_that_is_trained(self):
        model = architectures.build_cifar_resnet(8, (12, 12, 1), widths=(4, 6, 8))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        before = [weight.numpy() for weight in model.trainable_weights]
        model.train_on_batch(images(8, 12, 12, 1), np.arange(8))
        for old, weight in zip(before, model.trainable_weights, strict=True):
            assert np.any(old != weight.numpy()), weight.path


class TestDenseBlocks:
    @pytest.mark.parametrize("bottleneck", [True, False])
    def test_the_input_is_still_there_and_every_layer_is_appended(self, bottleneck):
        model = block_of(architectures.dense_block, (6, 6, 5), 3, 4, bottleneck=bottleneck)
        x = images(2, 6, 6, 5)
        output = model(x).numpy()
        assert output.shape == (2, 6, 6, 5 + 3 * 4)
        np.testing.assert_array_equal(output[..., :5], x)

    def test_a_later_layer_leaves_earlier_ones_alone(self):
        model = block_of(architectures.dense_block, (6, 6, 5), 2, 4, bottleneck=False)
        x = images(2, 6, 6, 5)
        before = model(x).numpy()
        kernel = [w for w in model.weights if w.name == "kernel"][-1]
        kernel.assign(kernel + 1)
        after = model(x).numpy()
        np.testing.assert_array_equal(after[..., :9], before[..., :9])
        assert np.all(np.any(after[..., 9:] != before[..., 9:], axis=(0, 1, 2)))

    @settings(max_examples=10, deadline=None)
    @given(st.integers(2, 9), st.integers(2, 12), st.sampled_from([0.25, 0.5, 0.7, 1.0]))
    def test_a_transition_halves_sides_and_compresses_channels(self, side, channels, compression):
        compression = max(compression, 1 / channels)
        model = block_of(architectures.transition_block, (side, side, channels), compression)
        assert model.output_shape[1:] == (side // 2, side // 2, int(channels * compression))

    def test_channels_of_densenet121(self):
        model = architectures.build_densenet((64, 64, 3), 7)
        joined = [layer for layer in model.layers if isinstance(layer, layers.Concatenate)]
        # Table 1: 64 + 6·32, halved, + 12·32, halved, + 24·32, halved, + 16·32.
        ends = [joined[i].output.shape[-1] for i in (5, 17, 41, 57)]
        assert ends == [256, 512, 1024, 1024]
        assert model.output_shape == (None, 7)

    def test_a_chain_forgets_its_input_and_grows_no_wider(self):
        model = block_of(architectures.chained_block, (6, 6, 5), 3, 4)
        assert model.output_shape == (None, 6, 6, 4)
        # What the last layer makes depends on nothing but the layer before it.
        gamma = [w for w in model.weights if w.name == "gamma"][-1]
        gamma.assign(np.zeros(gamma.shape))
        assert not np.any(model(images(2, 6, 6, 5)))

    def test_a_chain_has_as_many_layers_as_the_dense_network(self):
        dense, chain = (
            architectures.build_cifar_densenet(22, 4, input_shape=(12, 12, 1), block=block)
            for block in (architectures.dense_block, architectures.chained_block)
        )
        kinds = (layers.Conv2D, layers.Dense)
        counts = [sum(isinstance(each, kinds) for each in m.layers) for m in (dense, chain)]
        assert counts == [22, 22]
        assert not any(isinstance(each, layers.Concatenate) for each in chain.layers)
        assert chain(images(2, 12, 12, 1)).shape == (2, 10)


class TestInception:
    def test_each_branch_has_its_place(self):
        model = block_of(architectures.inception_module, (6, 6, 3), (2, 3, 4, 1, 5, 6))
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape))
        # A bias of 1 in the last convolution of one branch shows where its channels are.
        convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
        by_width = {layer.filters: layer for layer in convolutions}
        start = 0
        for width in (2, 4, 5, 6):
            by_width[width].bias.assign(np.ones(width))
            output = model(images(1, 6, 6, 3)).numpy()
            assert np.all(output[..., start : start + width] == 1)
            assert not np.any(output[..., start + width :])
            start += width

    def test_the_five_by_five_branch_sees_five_by_five(self):
        model = block_of(architectures.inception_module, (9, 9, 1), (1, 1, 1, 1, 1, 1))
        for weight in model.weights:
            weight.assign(np.full(weight.shape, 1.0 if weight.name == "kernel" else 0.0))
        x = np.zeros((1, 9, 9, 1), "float32")
        x[0, 4, 4] = 1
        reach = [int(np.sum(model(x).numpy()[..., i] > 0)) for i in range(4)]
        assert reach == [1, 9, 25, 9]

    @settings(max_examples=10, deadline=None)
    @given(
        st.tuples(*[st.integers(1, 7)] * 6), st.integers(1, 9), st.integers(1, 6), st.integers(1, 6)
    )
    def test_costs_follow_from_the_widths(self, widths, channels, height, width):
        one, reduce_three, three, reduce_five, five, projection = widths
        shape = (height, width, channels)
        reduced = block_of(architectures.inception_module, shape, widths)
        naive = block_of(architectures.naive_inception_module, shape, widths)
        ahead = channels * (one + reduce_three + reduce_five + projection)
        places = height * width
        after = 9 * reduce_three * three + 25 * reduce_five * five
        assert multiply_adds(reduced) == places * (ahead + after)
        assert multiply_adds(naive) == places * channels * (one + 9 * three + 25 * five)
        assert reduced.output_shape[1:] == (height, width, one + three + five + projection)
        assert naive.output_shape[1:] == (height, width, one + three + five + channels)


class TestMistakes:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: architectures.build_cifar_resnet(21), r"depth is 21; .* 6n \+ 2.* 20 or 26"),
            (lambda: architectures.build_cifar_plain(2), "for example 8 or 14"),
            (lambda: architectures.build_cifar_densenet(41), r"6n \+ 4"),
            (lambda: architectures.build_cifar_densenet(41, bottleneck=False), r"3n \+ 4"),
            (lambda: architectures.build_resnet((16, 64, 3), 10), "at least 32 pixels"),
            (lambda: architectures.build_googlenet((28, 28, 1), 10), "at least 32 pixels"),
            (lambda: architectures.build_densenet((64, 64), 10), r"\(height, width, channels\)"),
            (lambda: architectures.build_resnet(IMAGENET, 0), "num_classes is 0"),
            (lambda: architectures.build_resnet(IMAGENET, 10, (2, 0)), "blocks is 0"),
            (lambda: architectures.build_resnet(IMAGENET, 10, ()), r"blocks is \(\)"),
            (lambda: architectures.build_densenet(IMAGENET, 10, ()), r"blocks is \(\)"),
            (lambda: architectures.build_densenet((64, 64.5, 3), 10), r"input_shape is \(64, 64.5"),
            (lambda: architectures.build_cifar_resnet(8, widths=(4, 8)), "it needs three"),
            (lambda: architectures.build_cifar_plain(8, widths=(4, 8.5, 16)), r"\[1\] is 8.5"),
            (lambda: architectures.build_cifar_resnet(8, widths=(8, 4, 4)), "filters is 4"),
        ],
    )
    def test_builders(self, call, message):
        with pytest.raises(ValueError, match=message):
            call()

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda x: architectures.residual_block(x, 0), "filters is 0"),
            (lambda x: architectures.plain_block(x, 4, 1.5), "stride is 1.5"),
            (lambda x: architectures.bottleneck_block(x, 4, 0), "stride is 0"),
            (lambda x: architectures.inception_module(x, (1, 2, 3)), "needs six widths"),
            (lambda x: architectures.inception_module(x, (1, 0, 3, 4, 5, 6)), r"filters\[1\] is 0"),
            (lambda x: architectures.naive_inception_module(x, (1,) * 5), "needs six widths"),
            (lambda x: architectures.dense_block(x, 0, 4), "num_layers is 0"),
            (lambda x: architectures.chained_block(x, 2, 0), "growth_rate is 0"),
            (lambda x: architectures.padded_residual_block(x, 2), "filters is 2 and the input"),
            (lambda x: architectures.transition_block(x, 0), "compression is 0"),
            (lambda x: architectures.transition_block(x, 1.5), r"in \(0, 1\]"),
            (lambda x: architectures.transition_block(x, math.nan), "compression is nan"),
            (lambda x: architectures.transition_block(x, 0.3), "keeps none of 3 channels"),
        ],
    )
    def test_blocks(self, call, message):
        with pytest.raises(ValueError, match=message):
            call(keras.Input((8, 8, 3)))
