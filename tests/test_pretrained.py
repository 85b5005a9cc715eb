import hashlib
import os
import pickle
import sys
import types
from collections import OrderedDict
from functools import partial

from helpers import data, pretrained

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.special import softmax


@pytest.fixture(scope="module")
def tensors():
    return pretrained.read_tensors(pretrained.weights_path())


@pytest.fixture(scope="module")
def model():
    return pretrained.efficientnet_lite0()


@pytest.fixture(scope="module")
def untrained():
    return pretrained.build_efficientnet_lite0()


class TestOracle:
    """The network once more in NumPy and SciPy, straight from the file's own names."""

    def test_logits_agree_with_an_independent_reading(self, tensors, model):
        photo = pretrained.preprocess([data.photo("coffee")])
        oracle = forward(tensors, photo[0].transpose(2, 0, 1).astype("float64"))
        np.testing.assert_allclose(model(photo)[0], oracle, atol=1e-3)


def forward(tensors, x):
    """EfficientNet-Lite0 on one image (3, H, W); the blocks' strides are those of the paper."""
    x = relu6(normalise(tensors, "_bn0", convolve(x, tensors["_conv_stem.weight"], 2)))
    strided = {1, 3, 5, 11}  # the first blocks of stages 2, 3, 4 and 6
    for number in range(16):
        block = f"_blocks.{number}."
        y = x
        if block + "_expand_conv.weight" in tensors:
            y = pointwise(y, tensors[block + "_expand_conv.weight"])
            y = relu6(normalise(tensors, block + "_bn0", y))
        kernels = tensors[block + "_depthwise_conv.weight"]
        stride = 2 if number in strided else 1
        y = np.concatenate(
            [convolve(y[i : i + 1], kernels[i : i + 1], stride) for i in range(len(y))]
        )
        y = relu6(normalise(tensors, block + "_bn1", y))
        y = pointwise(y, tensors[block + "_project_conv.weight"])
        y = normalise(tensors, block + "_bn2", y)
        x = x + y if x.shape == y.shape else y
    x = relu6(normalise(tensors, "_bn1", pointwise(x, tensors["_conv_head.weight"])))
    return tensors["_fc.weight"] @ x.mean(axis=(1, 2)) + tensors["_fc.bias"]


def convolve(x, kernels, stride):
    """Correlation (C, H, W) with (out, C, k, k); TensorFlow's padding: less before than after."""
    k = kernels.shape[-1]
    size = x.shape[-1] // stride
    pad = (size - 1) * stride + k - x.shape[-1]
    x = np.pad(x, ((0, 0), (pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2)))
    middle = k // 2  # where ndimage puts the kernel's centre
    full = [
        sum(ndimage.correlate(c, w) for c, w in zip(x, kernel, strict=True)) for kernel in kernels
    ]
    return np.stack(full)[:, middle:, middle:][:, ::stride, ::stride][:, :size, :size]


def pointwise(x, weights):
    return np.tensordot(weights[:, :, 0, 0], x, axes=(1, 0))


def normalise(tensors, name, x):
    scale, shift, mean, variance = (
        tensors[f"{name}.{part}"][:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift


def relu6(x):
    return np.clip(x, 0, 6)


class TestNetwork:
    def test_number_of_parameters(self, untrained):
        assert untrained.count_params() == 4_694_024

    def test_number_of_parameters_by_hand(self, untrained):
        # Table 1 of Tan and Le (2019), with 2 weights and 2 statistics for each normalised channel.
        count = 27 * 32 + 4 * 32 + 320 * 1280 + 4 * 1280 + 1281 * 1000
        last = 32
        for kernel, _, expansion, channels, blocks in pretrained.STAGES:
            for _ in range(blocks):
                wide = last * expansion
                count += (last * wide + 4 * wide) * (expansion > 1)
                count += kernel**2 * wide + 4 * wide + wide * channels + 4 * channels
                last = channels
        assert untrained.count_params() == count

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("stem_relu", (112, 112, 32)),
            ("block1a", (112, 112, 16)),
            ("block2b", (56, 56, 24)),
            ("block3b", (28, 28, 40)),
            ("block4c", (14, 14, 80)),
            ("block5c", (14, 14, 112)),
            ("block6d", (7, 7, 192)),
            ("block7a", (7, 7, 320)),
            ("head_relu", (7, 7, 1280)),
            ("pool", (1280,)),
            ("logits", (1000,)),
        ],
    )
    def test_layers_that_a_reader_can_pick(self, untrained, name, shape):
        assert untrained.get_layer(name).output.shape == (None, *shape)

    def test_other_sizes_and_classes(self):
        small = pretrained.build_efficientnet_lite0((32, 64, 3), num_classes=5)
        assert small.output_shape == (None, 5)
        assert small.get_layer("head_relu").output.shape == (None, 1, 2, 1280)

    def test_any_size(self, model):
        free = pretrained.build_efficientnet_lite0((None, None, 3))
        free.set_weights(model.get_weights())
        photo = pretrained.preprocess([data.photo("cat")])
        np.testing.assert_allclose(free(photo), model(photo), atol=1e-4)
        assert free(photo[:, :96, :64]).shape == (1, 1000)

    @pytest.mark.parametrize(
        "shape",
        [(31, 224, 3), (None, 31, 3), (0, 224, 3), (224, 224, 0), (224, 224), (1, 224, 224, 3)],
    )
    def test_impossible_shapes(self, shape):
        with pytest.raises(ValueError, match="input_shape is"):
            pretrained.build_efficientnet_lite0(shape)

    def test_no_classes(self):
        with pytest.raises(ValueError, match="num_classes is 0"):
            pretrained.build_efficientnet_lite0(num_classes=0)


class TestPhotographs:
    # What the published network answers, found once outside this project (DATA.md there).
    @pytest.mark.parametrize(
        ("photo", "name", "probability"),
        [("cat", "tiger cat", 0.39), ("coffee", "espresso", 0.95), ("camera", "tripod", 0.94)],
    )
    def test_first_class(self, model, photo, name, probability):
        logits = model(pretrained.preprocess([data.photo(photo)]))
        ((first, *_),) = pretrained.top_classes(logits)
        assert first == (name, pytest.approx(probability, abs=0.006))

    def test_top_classes_are_those_of_a_softmax(self):
        values = np.random.default_rng(0).normal(size=(2, 1000))
        names = pretrained.class_names()
        for row, found in zip(
            softmax(values, axis=1), pretrained.top_classes(values, 4), strict=True
        ):
            best = sorted(range(1000), key=lambda i: -row[i])[:4]
            assert [name for name, _ in found] == [names[i] for i in best]
            np.testing.assert_allclose([p for _, p in found], row[best])

    def test_class_names_in_the_order_of_imagenet(self):
        names = pretrained.class_names()
        assert len(names) == 1000
        # Well known places of the 1,000 classes.
        known = {0: "tench", 207: "golden retriever", 281: "tabby", 817: "sports car"}
        assert {index: names[index] for index in known} == known

    def test_logits_of_another_network(self):
        with pytest.raises(ValueError, match=r"it must be \(B, 1000\)"):
            pretrained.top_classes(np.zeros((1, 10)))

    @pytest.mark.parametrize("number", [np.nan, np.inf])
    def test_logits_that_are_no_numbers(self, number):
        with pytest.raises(ValueError, match="logits holds NaN or infinity"):
            pretrained.top_classes(np.full((1, 1000), number))

    @pytest.mark.parametrize("count", [0, -1, 1.0, 1001])
    def test_an_impossible_number_of_classes(self, count):
        with pytest.raises(ValueError, match="count is .* a whole number from 1 to 1,000"):
            pretrained.top_classes(np.zeros((1, 1000)), count)


class TestPreprocess:
    def test_scale(self):
        black, white = pretrained.preprocess([np.zeros((10, 10, 3)), np.ones((10, 10, 3))])
        np.testing.assert_allclose(black, -127 / 128, atol=1e-6)
        np.testing.assert_allclose(white, 1, atol=1e-6)

    def test_a_picture_of_the_right_size_is_only_scaled(self):
        picture = np.random.default_rng(0).random((1, 224, 224, 3), "float32")
        found = pretrained.preprocess(picture, central=1)
        np.testing.assert_allclose(found, (picture * 255 - 127) / 128, atol=1e-5)

    def test_pixels_come_back(self):
        picture = np.random.default_rng(0).random((1, 8, 8, 3), "float32")
        found = pretrained.to_pixels(pretrained.preprocess(picture, size=8, central=1))
        np.testing.assert_allclose(found, picture, atol=1e-5)

    def test_the_middle_square_is_kept(self):
        wide = np.zeros((80, 200, 3))
        wide[5:75, 65:135] = 1  # 7 / 8 of 80 in the middle
        np.testing.assert_allclose(pretrained.preprocess([wide]), 1, atol=1e-6)

    def test_photographs_of_different_sizes(self):
        photos = [data.photo("cat"), data.photo("coffee")]
        assert pretrained.preprocess(photos, size=64).shape == (2, 64, 64, 3)

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            ([], "images is empty"),
            (np.zeros((8, 8, 3)), r"an image has shape \(8, 3\)"),
            (np.zeros((1, 8, 8, 1)), r"an image has shape \(8, 8, 1\)"),
            (np.full((1, 8, 8, 3), 255), "divide bytes by 255"),
            (np.full((1, 8, 8, 3), -0.5), "from -0.5 to -0.5"),
            (np.full((1, 8, 8, 3), np.nan), "from nan"),
        ],
    )
    def test_bad_images(self, images, message):
        with pytest.raises(ValueError, match=message):
            pretrained.preprocess(images)

    @pytest.mark.parametrize("size", [0, -1, 8.5])
    def test_impossible_sizes(self, size):
        with pytest.raises(ValueError, match="size is"):
            pretrained.preprocess(np.zeros((1, 8, 8, 3)), size)

    @pytest.mark.parametrize("central", [0, 1.5, np.nan])
    def test_impossible_squares(self, central):
        with pytest.raises(ValueError, match="central is"):
            pretrained.preprocess(np.zeros((1, 8, 8, 3)), central=central)


# Where each family of networks stands in `keras.applications`, with its own preprocessing.
FAMILIES = {
    "VGG16": "vgg16",
    "VGG19": "vgg19",
    "ResNet50": "resnet",
    "ResNet152V2": "resnet_v2",
    "InceptionV3": "inception_v3",
    "Xception": "xception",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    "MobileNetV3Small": "mobilenet_v3",
    "DenseNet121": "densenet",
    "NASNetMobile": "nasnet",
    "EfficientNetB0": "efficientnet",
    "EfficientNetV2S": "efficientnet_v2",
    "ConvNeXtTiny": "convnext",
}


class TestApplications:
    @pytest.mark.parametrize("name", FAMILIES)
    def test_preprocessing_is_the_family_s_own(self, name):
        own = getattr(keras.applications, FAMILIES[name]).preprocess_input
        pictures = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
        kept = pictures.copy()
        found = pretrained.application_preprocess(name)(pictures, size=32, central=1)
        np.testing.assert_allclose(found, own(kept * 255), atol=1e-3)
        np.testing.assert_array_equal(pictures, kept)

    def test_families_differ(self):
        # Simonyan and Zisserman (2014): mean colour, channels turned round; Sandler et al.: ±1.
        red = np.broadcast_to(np.float32([1, 0, 0]), (1, 32, 32, 3))
        turned = pretrained.application_preprocess("VGG16")(red, 32)[0, 0, 0]
        np.testing.assert_allclose(turned, [-103.939, -116.779, 255 - 123.68], atol=1e-3)
        scaled = pretrained.application_preprocess("MobileNetV2")(red, 32)[0, 0, 0]
        np.testing.assert_allclose(scaled, [1, -1, -1], atol=1e-5)
        pixels = pretrained.application_preprocess("EfficientNetB0")(red, 32)[0, 0, 0]
        np.testing.assert_allclose(pixels, [255, 0, 0], atol=1e-3)

    def test_a_network_ends_in_logits_and_takes_its_size(self):
        model, preprocess = pretrained.application("MobileNetV2", weights=None)
        photo = preprocess([data.photo("cat")])
        assert photo.shape == (1, *model.input_shape[1:])
        logits = np.asarray(model(photo))
        assert logits.shape == (1, 1000)
        assert not np.isclose(logits.sum(), 1)  # a softmax would add up

    @pytest.mark.parametrize(
        ("name", "layer", "width"),
        [("MobileNetV2", "block_12_add", 1280), ("MobileNet", "conv_pw_11_relu", 1024)],
    )
    def test_features_of_an_application(self, name, layer, width):
        # MobileNet's classifier is a convolution, whose features have the shape (1, 1, 1024).
        model, _ = pretrained.application(name, weights=None)
        lower, upper = pretrained.split_at(model, layer)
        assert upper(lower(np.zeros((1, 224, 224, 3)))).shape == (1, width)

    def test_a_step_at_full_size(self):
        # Lesson 06 at full scale, with random weights.
        model, preprocess = pretrained.application("DenseNet121", weights=None)
        lower, upper = pretrained.split_at(model, "pool4_pool")
        maps = np.asarray(lower(preprocess([data.photo("cat"), data.photo("coffee")])))
        pretrained.freeze_up_to(upper)
        classifier = pretrained.with_head(upper, keras.layers.Dense(12))
        pretrained.compile_classifier(classifier, 1e-4)
        assert np.isfinite(pretrained.take_steps(classifier, maps, np.array([0, 1]), 1, 2))

    def test_the_network_at_hand(self, monkeypatch):
        monkeypatch.setattr(pretrained, "efficientnet_lite0", lambda shape: shape)
        assert pretrained.network() == ((None, None, 3), pretrained.preprocess)

    def test_no_such_network(self):
        for function in (pretrained.network, pretrained.application):
            with pytest.raises(ValueError, match="no network 'Resnet-50'; near to it are ResNet50"):
                function("Resnet-50")

    def test_something_else_of_keras_applications(self):
        with pytest.raises(ValueError, match="no network 'resnet'"):
            pretrained.application_preprocess("resnet")

    def test_other_weights(self):
        with pytest.raises(ValueError, match="weights is 'imagnet'; it must be 'imagenet' or None"):
            pretrained.application("ResNet50", weights="imagnet")

    def test_a_failed_download_says_what_to_do(self, monkeypatch):
        def fail(**_):
            raise OSError("URL fetch failure")

        monkeypatch.setattr(keras.applications, "ResNet50", fail)
        with pytest.raises(RuntimeError, match=r"weights of ResNet50 .*URL fetch failure.*by hand"):
            pretrained.application("ResNet50")


def small_network():
    """A network with one shortcut, small enough to take apart by hand."""
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="a_conv")(inputs)
    x = a = layers.BatchNormalization(name="a")(x)
    x = layers.Conv2D(4, 3, padding="same", name="b_conv")(x)
    x = layers.BatchNormalization(name="b_bn")(x)
    x = layers.Add(name="b")([a, x])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(5, name="logits")(x))


class TestTransfer:
    def test_the_parts_are_the_whole(self, model):
        photo = pretrained.preprocess([data.photo("cat")])
        lower, upper = pretrained.split_at(model, "block6b")
        assert lower.output_shape == (None, 7, 7, 192)
        features = np.asarray(upper(lower(photo)))
        kernel, bias = model.get_layer("logits").get_weights()
        np.testing.assert_allclose(features @ kernel + bias, model(photo), atol=1e-3)
        assert lower.count_params() + upper.count_params() + kernel.size + 1000 == 4_694_024

    @pytest.mark.parametrize("layer", ["block6b_expand_conv", "logits"])
    def test_a_cut_that_a_shortcut_passes(self, model, layer):
        with pytest.raises(ValueError, match=f"cannot be cut after '{layer}'"):
            pretrained.split_at(model, layer)

    def test_missing_layers(self, model):
        for function in (pretrained.split_at, pretrained.freeze_up_to):
            with pytest.raises(ValueError, match="no layer 'block6_b'; near to it are .*block6b"):
                function(model, "block6_b")

    def test_freezing(self):
        model = small_network()
        pretrained.freeze_up_to(model, "a")
        learning = [v.path for v in model.trainable_variables]
        assert learning == ["b_conv/kernel", "b_conv/bias", "logits/kernel", "logits/bias"]
        assert pretrained.count_parameters(model) == (4 * 4 * 9 + 4 + 4 * 5 + 5, 27 * 4 + 4 + 32)
        pretrained.freeze_up_to(model, "pool")
        assert [v.path for v in model.trainable_variables] == ["logits/kernel", "logits/bias"]
        pretrained.freeze_up_to(model)
        assert len(model.trainable_variables) == 6

    def test_what_learns_and_what_stays_is_everything(self, untrained):
        for layer in ("pool", "block6b", None):
            pretrained.freeze_up_to(untrained, layer)
            trainable, frozen = pretrained.count_parameters(untrained)
            assert trainable + frozen == 4_694_024
            if layer == "pool":  # the classifier alone: 1,280 features and a bias for each class
                assert trainable == 1281 * 1000

    def test_frozen_normalisation_stays_in_training(self):
        model = small_network()
        x = np.random.default_rng(0).normal(3, 2, (16, 8, 8, 3)).astype("float32")
        pretrained.freeze_up_to(model)
        before = [v.numpy().copy() for v in model.non_trainable_variables]
        np.testing.assert_allclose(model(x, training=True), model(x), atol=1e-5)
        for variable, value in zip(model.non_trainable_variables, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)

    def test_normalisation_in_a_model_inside_is_frozen_too(self):
        inside = small_network()
        inside.get_layer("b_conv").trainable = False
        model = keras.Sequential([keras.Input((8, 8, 3)), inside, keras.layers.Dense(2)])
        pretrained.freeze_up_to(model)
        normalised = [v for name in ("a", "b_bn") for v in inside.get_layer(name).variables]
        assert len(normalised) == 8
        assert not {v.path for v in normalised} & {v.path for v in model.trainable_variables}
        assert len(model.trainable_variables) == 8  # a kernel and a bias of four layers

    def test_a_flag_that_is_true_already_is_not_passed_on(self):
        # What lesson 06 says of Keras with TensorFlow, and why each layer's flag is set here.
        model = small_network()
        model.get_layer("b_conv").trainable = False
        model.trainable = True
        assert not model.get_layer("b_conv").trainable
        pretrained.freeze_up_to(model)
        assert model.get_layer("b_conv").trainable

    def test_training_behind_the_cut_is_training_the_whole(self):
        x = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype("float32")
        y = np.arange(8) % 5
        whole, parted = small_network(), small_network()
        parted.set_weights(whole.get_weights())
        pretrained.freeze_up_to(whole, "a")
        lower, upper = pretrained.split_at(parted, "a")
        pretrained.freeze_up_to(upper)
        behind = pretrained.with_head(upper, parted.get_layer("logits"))
        for model, inputs in ((whole, x), (behind, lower(x).numpy())):
            pretrained.compile_classifier(model, 0.01)
            pretrained.take_steps(model, inputs, y, steps=3, batch_size=8)
        np.testing.assert_allclose(whole(x), parted(x), atol=1e-4)

    def test_few_examples_come_round_again(self):
        model = small_network()
        pretrained.compile_classifier(model, 0.01)
        pretrained.take_steps(model, np.ones((3, 8, 8, 3), "float32"), np.arange(3), 5, 16)
        assert int(model.optimizer.iterations.numpy()) == 5

    @pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 1, "batch_size": 0}])
    def test_no_steps(self, wrong):
        with pytest.raises(ValueError, match="is 0; it must be a whole number"):
            pretrained.take_steps(None, np.zeros((1, 2)), np.zeros(1), **wrong)

    @pytest.mark.parametrize(("x", "y"), [(3, 2), (0, 0)])
    def test_unequal_or_no_examples(self, x, y):
        for function in (partial(pretrained.take_steps, steps=1), pretrained.accuracy):
            with pytest.raises(ValueError, match=f"x holds {x} examples and y"):
                function(None, np.zeros((x, 2)), np.zeros(y))

    @pytest.mark.parametrize("rate", [0, -1e-3, np.nan, np.inf])
    def test_impossible_rates(self, rate):
        with pytest.raises(ValueError, match="rate is"):
            pretrained.compile_classifier(small_network(), rate)

    def test_labels_in_a_column_are_refused(self):
        with pytest.raises(ValueError, match=r"y has shape \(4, 1\)"):
            pretrained.accuracy(None, np.zeros((4, 3)), np.zeros((4, 1)))

    def test_accuracy_by_hand(self):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
        logits = np.float32([[1, 2, 0], [5, 1, 1], [0, 0, 9], [3, 2, 1]])
        assert pretrained.accuracy(model, logits, np.array([1, 0, 2, 2])) == 0.75

    def test_small_cnn(self):
        model = pretrained.build_small_cnn((64, 64, 1), 12)
        assert model(np.zeros((2, 64, 64, 1))).shape == (2, 12)
        by_hand = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64 + 4 * (16 + 32 + 64) + 64 * 12 + 12
        assert model.count_params() == by_hand
        with pytest.raises(ValueError, match="num_classes is 0"):
            pretrained.build_small_cnn((64, 64, 1), 0)

    def test_smallest_pictures(self):
        assert pretrained.build_small_cnn((16, 16, 3), 2).output_shape == (None, 2)
        for shape in ((15, 64, 1), (64, 64), (64, 64, 0)):
            with pytest.raises(ValueError, match="input_shape is"):
                pretrained.build_small_cnn(shape, 2)


class TestReading:
    def test_it_is_the_published_file(self):
        # Torch hub puts the first digits of the checksum into the name.
        digest = hashlib.sha256(pretrained.weights_path().read_bytes()).hexdigest()
        assert digest.startswith("57934424")

    def test_all_tensors_are_read(self, tensors):
        assert len(tensors) == 296
        assert sum(tensor.size for tensor in tensors.values()) == 4_694_073
        assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
        assert all(np.isfinite(tensor).all() for tensor in tensors.values())

    def test_every_tensor_is_used(self, tensors, untrained):
        pretrained.load_tensors(untrained, tensors)
        counters = {name for name in tensors if name.endswith("num_batches_tracked")}
        assert len(counters) == 49
        assert sum(tensors[name].size for name in set(tensors) - counters) == 4_694_024
        total = sum(np.abs(v).sum(dtype="float64") for v in untrained.get_weights())
        truth = sum(np.abs(tensors[n]).sum(dtype="float64") for n in set(tensors) - counters)
        assert total == pytest.approx(truth, rel=1e-6)

    def test_a_tensor_too_few(self, tensors, untrained):
        fewer = {name: tensor for name, tensor in tensors.items() if name != "_bn1.bias"}
        with pytest.raises(
            ValueError, match="tensors has no '_bn1.bias', which head_bn/beta needs"
        ):
            pretrained.load_tensors(untrained, fewer)

    def test_a_tensor_too_many(self, tensors, untrained):
        with pytest.raises(ValueError, match="'_se.weight' and 0 more without a place"):
            pretrained.load_tensors(untrained, tensors | {"_se.weight": np.zeros(3)})

    def test_another_network(self, tensors):
        with pytest.raises(ValueError, match="model has a layer 'a_conv'"):
            pretrained.load_tensors(small_network(), tensors)

    def test_a_tensor_of_another_shape(self, tensors, untrained):
        with pytest.raises(ValueError, match=r"_fc.bias has shape \(7,\)"):
            pretrained.load_tensors(untrained, tensors | {"_fc.bias": np.zeros(7)})


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes files as torch.save did, without PyTorch: a stand-in module gives the names."""
    utils, torch = types.ModuleType("torch._utils"), types.ModuleType("torch")

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("only its name is needed")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Storage:
        def __init__(self, array, kind):
            self.array, self.kind = array, kind

    class Tensor:
        def __init__(self, storage, offset, shape, strides):
            self.arguments = (storage, offset, shape, strides, False, OrderedDict())

        def __reduce__(self):
            return _rebuild_tensor_v2, self.arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Storage):
                key = str(id(thing))
                return ("storage", getattr(torch, thing.kind), key, "cpu", len(thing.array), None)
            return None

    def write(entries, system=None, stated=None, tail=b""):
        path = tmp_path / "weights.pth"
        storages = {}
        with path.open("wb") as file:
            pickle.dump(0x1950A86A20F9469CFC6C, file, protocol=2)
            pickle.dump(1001, file, protocol=2)
            pickle.dump(system or {"little_endian": True}, file, protocol=2)
            content = OrderedDict()
            for name, entry in entries.items():
                if isinstance(entry, tuple):
                    array, kind, offset, shape, strides = entry
                    storage = Storage(array, kind)
                    storages[str(id(storage))] = storage
                    entry = Tensor(storage, offset, shape, strides)
                content[name] = entry
            Pickler(file, protocol=2).dump(content)
            pickle.dump(sorted(storages), file, protocol=2)
            for key in sorted(storages):
                array = storages[key].array
                file.write(np.int64(len(array) if stated is None else stated).tobytes())
                file.write(array.tobytes())
            file.write(tail)
        return path

    return write


def floats(count=6):
    return np.arange(count, dtype="<f4")


class TestFormat:
    def test_views_of_storages(self, write):
        path = write(
            {
                "plain": (floats(), "FloatStorage", 0, (2, 3), (3, 1)),
                "turned": (floats(), "FloatStorage", 0, (2, 3), (1, 2)),
                "part": (floats(), "FloatStorage", 2, (2,), (3,)),
                "count": (np.array([7], "<i8"), "LongStorage", 0, (), ()),
            }
        )
        found = pretrained.read_tensors(path)
        assert list(found) == ["plain", "turned", "part", "count"]
        np.testing.assert_array_equal(found["plain"], [[0, 1, 2], [3, 4, 5]])
        np.testing.assert_array_equal(found["turned"], [[0, 2, 4], [1, 3, 5]])
        np.testing.assert_array_equal(found["part"], [2, 5])
        assert found["count"] == 7

    @pytest.mark.parametrize(
        ("offset", "shape", "strides"),
        [
            (0, (7,), (1,)),
            (5, (2,), (1,)),
            (-1, (2,), (1,)),
            (0, (2,), (-1,)),
            (0, (10**12,), (0,)),
            (0, (2, 3), (3,)),
        ],
    )
    def test_views_outside_their_storage(self, write, offset, shape, strides):
        path = write({"far": (floats(), "FloatStorage", offset, shape, strides)})
        with pytest.raises(ValueError, match="no sound file of weights"):
            pretrained.read_tensors(path)

    def test_a_hostile_pickle_does_not_run(self, write, tmp_path):
        class Hostile:
            def __reduce__(self):
                return os.system, (f"touch {tmp_path / 'was_here'}",)

        path = write({"weight": Hostile()})
        with path.open("rb") as file:  # it does run where it is let
            for _ in range(4):
                pickle.load(file)
        assert (tmp_path / "was_here").exists()
        (tmp_path / "was_here").unlink()
        with pytest.raises(ValueError, match=r"it asks for posix.system, which is no tensor"):
            pretrained.read_tensors(path)
        assert not (tmp_path / "was_here").exists()

    @pytest.mark.parametrize("place", ["first", "system", "keys"])
    def test_a_hostile_pickle_in_any_part(self, tmp_path, place):
        class Hostile:
            def __reduce__(self):
                return open, (str(tmp_path / "was_here"), "w")

        parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, OrderedDict(), []]
        parts[{"first": 0, "system": 2, "keys": 4}[place]] = Hostile()
        path = tmp_path / "weights.pth"
        path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
        with pytest.raises(ValueError, match=r"it asks for (_?io|builtins|__builtin__).open"):
            pretrained.read_tensors(path)
        assert not (tmp_path / "was_here").exists()

    @pytest.mark.parametrize("thing", [np.float64(1), {1}.union, print, OrderedDict.fromkeys])
    def test_other_classes_are_refused_though_harmless(self, write, thing):
        with pytest.raises(ValueError, match="no sound file of weights"):
            pretrained.read_tensors(write({"weight": thing}))

    def test_other_storages_are_refused(self, write):
        path = write({"w": (np.zeros(2), "DoubleStorage", 0, (2,), (1,))})
        with pytest.raises(ValueError, match="it asks for torch.DoubleStorage"):
            pretrained.read_tensors(path)

    @pytest.mark.parametrize("entries", [{"w": 1}, {"w": OrderedDict()}])
    def test_other_content_is_refused(self, write, entries):
        with pytest.raises(ValueError, match="other things than tensors"):
            pretrained.read_tensors(write(entries))

    def test_big_endian_numbers_are_refused(self, write):
        with pytest.raises(ValueError, match="big-endian"):
            pretrained.read_tensors(write({}, system={"little_endian": False}))

    @pytest.mark.parametrize("stated", [5, 7, 2**60])
    def test_wrong_lengths(self, write, stated):
        path = write({"w": (floats(), "FloatStorage", 0, (6,), (1,))}, stated=stated)
        with pytest.raises(ValueError, match="another length than stated"):
            pretrained.read_tensors(path)

    def test_more_than_there_should_be(self, write):
        path = write({"w": (floats(), "FloatStorage", 0, (6,), (1,))}, tail=b"\0")
        with pytest.raises(ValueError, match="more follows"):
            pretrained.read_tensors(path)

    @pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999999])
    def test_a_truncated_file(self, tmp_path, part):
        whole = pretrained.weights_path().read_bytes()
        path = tmp_path / "short.pth"
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(
            ValueError, match="short.pth is no sound file .* reinstall efficientnet"
        ):
            pretrained.read_tensors(path)

    def test_a_zip_file(self, tmp_path):
        np.savez(tmp_path / "new.npz", a=np.zeros(2))
        with pytest.raises(ValueError, match="is a zip file"):
            pretrained.read_tensors(tmp_path / "new.npz")

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            pretrained.read_tensors(tmp_path / "none.pth")

    def test_damaged_files_raise_value_errors_only(self, write, tmp_path):
        whole = write({"w": (floats(), "FloatStorage", 0, (2, 3), (3, 1))}).read_bytes()
        path = tmp_path / "damaged.pth"

        @settings(deadline=None, max_examples=300)
        @given(st.integers(0, len(whole) - 1), st.integers(0, 255))
        def damage(place, byte):
            path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            try:
                pretrained.read_tensors(path)
            except ValueError as error:
                assert "no sound file of weights" in str(error)

        damage()
