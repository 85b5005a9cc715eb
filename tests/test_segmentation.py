from helpers.segmentation import (
    CrossentropyAndDice,
    MaskStream,
    SoftDiceLoss,
    WeightedCrossentropy,
    boundary_band,
    build_unet,
    build_without_skips,
    count_components,
    inside_and_rim,
    otsu_threshold,
    paired_augmentation,
    predict_in_tiles,
    random_crops,
)

import keras
import numpy as np
import pytest
import skimage.filters
import skimage.measure
import skimage.segmentation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.metrics import log_loss

# The network


def _parameters(channels, classes, filters, depth):
    """Counts by hand: 3×3 kernels, two numbers for each normalised channel, 2×2 and 1×1."""

    def double(inside, outside):
        return 9 * inside * outside + 9 * outside**2 + 2 * 2 * outside

    widths = [filters * 2**level for level in range(depth + 1)]
    total = sum(double(a, b) for a, b in zip([channels, *widths], widths, strict=False))
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        total += 4 * wide * narrow + narrow + double(2 * narrow, narrow)
    return total + filters * classes + classes


@pytest.mark.parametrize(("filters", "depth", "channels"), [(64, 4, 1), (8, 3, 1), (5, 2, 3)])
def test_parameters_follow_from_the_papers_figure(filters, depth, channels):
    model = build_unet((64, 64, channels), 2, filters, depth)
    counts = sum(int(np.prod(w.shape)) for w in model.trainable_variables)
    assert counts == _parameters(channels, 2, filters, depth)


def test_the_papers_network_has_31_million_parameters():
    # Its 23 convolutions with biases and without normalisation, from the figure of the paper.
    widths = [64, 128, 256, 512, 1024]
    convolutions = [(3, a, b) for a, b in zip([1, *widths], widths, strict=False)]
    convolutions += [(3, b, b) for b in widths]
    convolutions += [(2, b, a) for a, b in zip(widths, widths[1:], strict=False)]
    convolutions += [(3, 2 * a, a) for a in widths[:-1]] + [(3, a, a) for a in widths[:-1]]
    convolutions += [(1, 64, 2)]
    assert len(convolutions) == 23
    published = sum(k * k * a * b + b for k, a, b in convolutions)
    assert round(published / 1e6, 1) == 31.0
    assert build_unet((64, 64, 1), 2).count_params() == pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize("build", [build_unet, build_without_skips])
def test_the_mask_is_as_large_as_the_image(build):
    assert build((32, 48, 3), 5, 4, 3).output_shape == (None, 32, 48, 5)
    assert build((None, None, 3), 5, 4, 3)(np.zeros((1, 16, 24, 3))).shape == (1, 16, 24, 5)


def test_only_the_skips_carry_single_pixels():
    # Average the way through the bottom away: the finest detail must come across, or is lost.
    keras.utils.set_random_seed(0)
    image = np.random.default_rng(0).normal(size=(1, 16, 16, 1)).astype("float32")
    for build, sees in ((build_unet, True), (build_without_skips, False)):
        model = build((16, 16, 1), 1, 4, 2)
        # The deepest layers answer the same to all images once their kernels are zero.
        bottom = [layer for layer in model.layers if layer.name.startswith("conv2d_transpose")]
        for layer in bottom:
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        differs = np.ptp(np.asarray(model(image)) - np.asarray(model(-image))) > 1e-4
        assert differs == sees


@pytest.mark.parametrize("shape", [(30, 32, 1), (32, 20, 1)])
def test_a_side_that_does_not_divide_is_refused(shape):
    with pytest.raises(ValueError, match="depth 3 both sides must be multiples of 8"):
        build_unet(shape, 2, 4, 3)
    with pytest.raises(ValueError, match="filters is 0"):
        build_unet((32, 32, 1), 2, 0)
    with pytest.raises(ValueError, match=r"input_shape is \(32, 32\); it must be \(H, W, C\)"):
        build_unet((32, 32), 2)


def test_the_ablated_network_differs_by_what_it_joins_alone():
    with_skips, without = (
        build_unet((16, 16, 1), 2, 4, 2),
        build_without_skips((16, 16, 1), 2, 4, 2),
    )
    # The first convolution of each level of the way up reads half as many channels.
    joined = sum(9 * width * width for width in (4, 8))
    assert with_skips.count_params() - without.count_params() == joined


def test_the_full_network_takes_a_step():
    model = build_unet((None, None, 1), 3)
    model.compile("sgd", WeightedCrossentropy([1, 1, 2]))
    masks, _ = _draw(0, (1, 32, 16), 3)
    assert np.isfinite(model.train_on_batch(masks[..., None].astype("float32"), masks))


# Losses


def _draw(seed, shape=(2, 4, 5), classes=3):
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, shape), rng.normal(size=(*shape, classes)).astype("float32")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_weighted_crossentropy_is_scikit_learns(seed):
    masks, logits = _draw(seed)
    weights = np.array([0.3, 1.0, 2.0])
    probabilities = np.asarray(keras.ops.softmax(logits.astype("float64"))).reshape(-1, 3)
    flat = masks.ravel()
    expected = log_loss(flat, probabilities, sample_weight=weights[flat], labels=[0, 1, 2])
    assert float(WeightedCrossentropy(weights)(masks, logits)) == pytest.approx(expected, rel=1e-5)


def test_soft_dice_of_certain_answers_is_dice():
    truth = np.array([[[0, 1, 1, 2]]])
    logits = 100.0 * np.eye(3, dtype="float32")[np.array([[[0, 1, 0, 1]]])]
    # Three pixels of foreground, two found; which class is the other loss's affair.
    assert float(SoftDiceLoss(smoothing=0.0)(truth, logits)) == pytest.approx(1 - 4 / 5)


def test_soft_dice_of_nothing_found_where_nothing_is_is_zero():
    logits = 100.0 * np.eye(2, dtype="float32")[np.zeros((1, 3, 3), int)]
    assert float(SoftDiceLoss()(np.zeros((1, 3, 3)), logits)) == pytest.approx(0, abs=1e-6)
    # Without smoothing: 0 / 0, or 1 where the foreground's probability is not quite 0.
    assert not float(SoftDiceLoss(smoothing=0.0)(np.zeros((1, 3, 3)), logits)) < 1


def test_soft_dice_of_hardly_anything_where_nothing_is_is_large_only_without_smoothing():
    logits = np.zeros((1, 3, 3, 2), "float32")
    logits[..., 0] = 10
    each = 1 / (1 + np.exp(10))
    empty = np.zeros((1, 3, 3))
    assert float(SoftDiceLoss(smoothing=0.0)(empty, logits)) == pytest.approx(1)
    expected = 1 - 1 / (1 + 9 * each)
    assert float(SoftDiceLoss()(empty, logits)) == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("loss", [SoftDiceLoss(), WeightedCrossentropy([1, 1])])
def test_losses_refuse_masks_and_logits_that_do_not_fit(loss):
    # Of these shapes each would be broadcast, and the loss be a number.
    masks, logits = np.zeros((3, 3, 3), int), np.zeros((3, 3, 3, 2), "float32")
    with pytest.raises(ValueError, match=r"y_true has shape \(3, 3, 3, 1\)"):
        loss(masks[..., None], logits)
    with pytest.raises(ValueError, match="at least 2 classes"):
        loss(masks, logits[..., :1])
    assert np.isfinite(float(loss(masks, logits)))


def test_losses_refuse_numbers_below_0():
    with pytest.raises(ValueError, match=r"smoothing is -1; it must be a number in \[0"):
        SoftDiceLoss(-1)
    with pytest.raises(ValueError, match="each must be at least 0"):
        WeightedCrossentropy([1, -0.3])
    with pytest.raises(ValueError, match="each must be at least 0"):
        CrossentropyAndDice([1, float("nan")])


def test_the_sum_of_both_losses_is_their_sum():
    masks, logits = _draw(1)
    each = WeightedCrossentropy([0.3, 1, 2])(masks, logits), SoftDiceLoss()(masks, logits)
    found = CrossentropyAndDice([0.3, 1, 2])(masks, logits)
    assert float(found) == pytest.approx(float(each[0]) + float(each[1]))


def test_weights_must_be_as_many_as_classes():
    masks, logits = _draw(0)
    with pytest.raises(ValueError, match="weights has 2 numbers; the logits have 3 classes"):
        WeightedCrossentropy([0.3, 1])(masks, logits)


@pytest.mark.parametrize(
    "loss", [SoftDiceLoss(0.5), WeightedCrossentropy([0.3, 1]), CrossentropyAndDice([0.3, 1])]
)
def test_losses_survive_saving(loss, tmp_path):
    model = build_unet((8, 8, 1), 2, 2, 1)
    model.compile("sgd", loss)
    model.save(tmp_path / "unet.keras")
    again = keras.models.load_model(tmp_path / "unet.keras")
    assert again.loss.get_config() == loss.get_config()
    masks, images = _draw(0, (2, 8, 8), 2)
    assert again.evaluate(images[..., :1], masks, verbose=0) == pytest.approx(
        model.evaluate(images[..., :1], masks, verbose=0)
    )


# Pairs of image and mask


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_augmentation_moves_image_and_mask_alike_by_a_symmetry(seed):
    rng = np.random.default_rng(seed)
    masks = rng.integers(0, 3, (10, 6, 6))
    images = masks[..., None] + rng.random((10, 6, 6, 1)) / 2
    kept = images.copy()
    new_images, new_masks = paired_augmentation(images, masks, rng)
    np.testing.assert_array_equal(images, kept)
    np.testing.assert_array_equal(np.floor(new_images[..., 0]), new_masks)
    for old, new in zip(masks, new_masks, strict=True):
        turned = [np.rot90(old, k) for k in range(4)]
        assert any(np.array_equal(new, t) for t in turned + [t.T for t in turned])


def test_augmentation_uses_all_eight_symmetries():
    masks = np.repeat(np.arange(9).reshape(1, 3, 3), 200, axis=0)
    _, found = paired_augmentation(masks[..., None], masks, np.random.default_rng(0))
    assert len(np.unique(found.reshape(200, -1), axis=0)) == 8


def test_crops_cut_image_and_mask_at_one_place_everywhere():
    masks = np.arange(2 * 7 * 9).reshape(2, 7, 9)
    crops, cut = random_crops(masks[..., None], masks, 2000, 4, np.random.default_rng(0))
    np.testing.assert_array_equal(crops[..., 0], cut)
    np.testing.assert_array_equal(cut - cut[:, :1, :1], cut[:1] - cut[0, 0, 0] + 0 * cut)
    assert set(np.unique(cut)) == set(masks.ravel())
    assert len(np.unique(cut[:, 0, 0])) == 2 * (7 - 4 + 1) * (9 - 4 + 1)


def test_pairs_that_do_not_fit_are_refused():
    images, rng = np.zeros((2, 6, 6, 1)), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"masks \(2, 5, 6\)"):
        paired_augmentation(images, np.zeros((2, 5, 6)), rng)
    with pytest.raises(ValueError, match=r"must be \(n, S, S, C\)"):
        paired_augmentation(np.zeros((2, 6, 4, 1)), np.zeros((2, 6, 4)), rng)
    with pytest.raises(ValueError, match="size is 7; it must be a whole number from 1 to 6"):
        random_crops(images, images[..., 0], 1, 7, rng)


def _numbered(epoch, count=7):
    masks = np.full((count, 4, 4), epoch % 3) if count else np.zeros((0, 4, 4), int)
    return np.arange(count)[:, None, None, None] + 10.0 * epoch + np.zeros((count, 4, 4, 1)), masks


def test_a_stream_gives_each_pair_of_its_epoch_once_and_then_draws_anew():
    stream = MaskStream(_numbered, num_classes=3, batch_size=2)
    for epoch in range(3):
        batches = [stream[i] for i in range(len(stream))]
        found = np.concatenate([images[:, 0, 0, 0] for images, _ in batches])
        np.testing.assert_array_equal(found, 10 * epoch + np.arange(6))
        assert all((masks == epoch).all() and masks.shape == (2, 4, 4) for _, masks in batches)
        stream.on_epoch_end()


def test_a_stream_refuses_labels_out_of_range_and_pairs_that_do_not_fit():
    for label, text in ((3, "from 0 to 3"), (-1, "from -1 to 0")):
        masks = np.zeros((4, 4, 4), int)
        masks[2, 1, 3] = label
        with pytest.raises(ValueError, match=f"classes {text}; with 3 classes .* from 0 to 2"):
            MaskStream(lambda _, masks=masks: (masks[..., None], masks), 3, 2)
    with pytest.raises(ValueError, match=r"masks \(4, 4\); they must be \(n, H, W, C\)"):
        MaskStream(lambda _: (np.zeros((4, 4, 4, 1)), np.zeros((4, 4))), 3, 2)
    masks = np.zeros((4, 4, 4), int)
    for half in (masks + 0.5, np.where(np.eye(4), 0.25, masks)):
        with pytest.raises(ValueError, match=r"0\.[25]+; a class is a whole number"):
            MaskStream(lambda _, half=half: (masks[..., None], half), 3, 2)
    assert len(MaskStream(lambda _: (masks[..., None], masks.astype("float32")), 3, 2)) == 2
    with pytest.raises(ValueError, match="images drawn is 7; it must be .* at least 8"):
        MaskStream(_numbered, 3, batch_size=8)


# Large images


def _pixelwise():
    """A network that looks at single pixels: tiles can make no difference."""
    inputs = keras.Input((16, 16, 2))
    return keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))


@pytest.mark.parametrize("shape", [(16, 16), (40, 29), (5, 33), (28, 17)])
def test_tiles_of_a_pixelwise_network_are_the_network(shape):
    model = _pixelwise()
    image = np.random.default_rng(0).normal(size=(*shape, 2)).astype("float32")
    kernel, bias = model.layers[-1].get_weights()
    expected = np.asarray(keras.ops.softmax(image @ kernel[0, 0] + bias))
    found = predict_in_tiles(model, image, tile=16, overlap=5)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_tiles_side_by_side_are_cut_apart():
    # A network that answers with its tile's mean shows which pixels came from which tile.
    inputs = keras.Input((8, 8, 1))
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
    flat = keras.layers.UpSampling2D(8)(mean)
    model = keras.Model(inputs, keras.layers.Concatenate()([flat, -flat]))
    image = np.random.default_rng(0).normal(size=(16, 24, 1))
    blocks = image.reshape(2, 8, 3, 8).mean(axis=(1, 3))
    expected = 1 / (1 + np.exp(-2 * np.kron(blocks, np.ones((8, 8)))))
    found = predict_in_tiles(model, image, tile=8, overlap=0)[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_tiles_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"must be \(H, W, C\)"):
        predict_in_tiles(_pixelwise(), np.zeros((1, 16, 16, 2)), 16, 4)
    with pytest.raises(ValueError, match="overlap is 8; it must be a whole number from 0 to 7"):
        predict_in_tiles(_pixelwise(), np.zeros((16, 16, 2)), 16, 8)
    with pytest.raises(ValueError, match="tile is 16.0; it must be a whole number"):
        predict_in_tiles(_pixelwise(), np.zeros((16, 16, 2)), 16.0, 4)


# Masks


@given(npst.arrays("int64", (2, 6, 7), elements=st.integers(0, 2)), st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_the_band_is_where_a_window_holds_two_classes(masks, width):
    band = boundary_band(masks, width)
    for n, y, x in np.ndindex(masks.shape):
        window = masks[n, max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1]
        assert band[n, y, x] == (len(np.unique(window)) > 1)


@given(npst.arrays(bool, (9, 8)), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_components_equal_scikit_images(mask, least):
    regions = skimage.measure.regionprops(skimage.measure.label(mask, connectivity=2))
    assert count_components(mask, least) == sum(region.area >= least for region in regions)


@given(npst.arrays("int64", (1, 7, 8), elements=st.integers(0, 3)))
@settings(max_examples=30, deadline=None)
def test_the_rim_is_scikit_images_inner_boundary(instances):
    boundary = skimage.segmentation.find_boundaries(instances[0], connectivity=2, mode="inner")
    expected = (instances[0] > 0) + (boundary & (instances[0] > 0)).astype(int)
    np.testing.assert_array_equal(inside_and_rim(instances)[0], expected)


def test_nuclei_that_touch_are_counted_apart_inside_their_rims():
    instances = np.zeros((1, 8, 13), int)
    instances[0, 1:6, 1:6], instances[0, 2:7, 6:12] = 1, 2
    assert count_components(instances[0] > 0) == 1
    assert count_components(inside_and_rim(instances)[0] == 1) == 2


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_otsus_threshold_is_scikit_images(seed):
    rng = np.random.default_rng(seed)
    image = np.where(rng.random((30, 30)) < 0.3, rng.normal(2, 1, (30, 30)), rng.random((30, 30)))
    assert otsu_threshold(image) == pytest.approx(skimage.filters.threshold_otsu(image))
    with pytest.raises(ValueError, match="image is 2 everywhere"):
        otsu_threshold(np.full((4, 4), 2.0))


def test_masks_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"masks has shape \(4, 4\); it must be \(n, H, W\)"):
        boundary_band(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"instances has shape \(4, 4\)"):
        inside_and_rim(np.zeros((4, 4), int))
    with pytest.raises(ValueError, match=r"mask has shape \(1, 4, 4\); it must be \(H, W\)"):
        count_components(np.zeros((1, 4, 4), bool))


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="width is 0"):
        boundary_band(np.zeros((1, 4, 4)), 0)
    with pytest.raises(ValueError, match="least is 0"):
        count_components(np.zeros((4, 4), bool), 0)
    with pytest.raises(ValueError, match="bins is 1; it must be a whole number of at least 2"):
        otsu_threshold(np.eye(4), bins=1)
