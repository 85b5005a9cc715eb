"""Attention agrees with a loop over its formula, with Keras' own layers, and with its promises."""

import math
import tomllib

from helpers import ROOT, attention

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

sizes = st.integers(1, 6)
lengths = st.integers(2, 6)  # Keras warns of a softmax over one place
seeds = st.integers(0, 2**32 - 1)
some_shapes = settings(max_examples=25, deadline=None)


def normal(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def some_mask(rng, *shape):
    """A random mask in which each query may attend to at least one place."""
    mask = rng.random(shape) < 0.6
    mask[..., rng.integers(shape[-1])] = True
    return mask


def numbers(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float64"))


def by_hand(query, key, value, mask=None):
    """One query after the other, in double precision, places that are masked left out."""
    query, key, value = (np.asarray(each, "float64") for each in (query, key, value))
    output = np.zeros((*query.shape[:-1], value.shape[-1]))
    weights = np.zeros((*query.shape[:-1], key.shape[-2]))
    mask = np.broadcast_to(True if mask is None else mask, weights.shape)
    for *batch, i in np.ndindex(query.shape[:-1]):
        batch = tuple(batch)
        places = np.flatnonzero(mask[(*batch, i)])
        terms = [
            math.exp(query[(*batch, i)] @ key[(*batch, j)] / math.sqrt(query.shape[-1]))
            for j in places
        ]
        for j, term in zip(places, terms, strict=True):
            weights[(*batch, i, j)] = term / sum(terms)
            output[(*batch, i)] += term / sum(terms) * value[(*batch, j)]
    return output, weights


# Scaled dot-product attention


@some_shapes
@given(sizes, sizes, sizes, sizes, sizes, seeds, st.booleans())
def test_dot_product_is_its_formula(batch, queries, keys, width, depth, seed, masked):
    rng = np.random.default_rng(seed)
    query, key = normal(rng, batch, queries, width), normal(rng, batch, keys, width)
    value = normal(rng, batch, keys, depth)
    mask = rng.random((batch, queries, keys)) < 0.5 if masked else None
    output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    expected_output, expected_weights = by_hand(query, key, value, mask)
    np.testing.assert_allclose(output, expected_output, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)


@some_shapes
@given(sizes, sizes, lengths, sizes, sizes, seeds)
def test_dot_product_equals_keras(batch, queries, keys, width, depth, seed):
    rng = np.random.default_rng(seed)
    query, key = normal(rng, batch, queries, width), normal(rng, batch, keys, width)
    value, allowed = normal(rng, batch, keys, depth), some_mask(rng, batch, keys)
    theirs = keras.layers.Attention(use_scale=True)
    theirs.build([query.shape, value.shape, key.shape])
    theirs.set_weights([np.float32(1 / math.sqrt(width))])
    expected, expected_weights = theirs(
        [query, value, key],
        mask=[None, keras.ops.convert_to_tensor(allowed)],
        return_attention_scores=True,
    )
    output, weights = attention.scaled_dot_product_attention(query, key, value, allowed[:, None, :])
    np.testing.assert_allclose(output, expected, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)


def test_equal_keys_give_the_mean_and_a_matching_key_its_value():
    value = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 2.0]], "float32")
    output, _ = attention.scaled_dot_product_attention(
        np.ones((1, 4), "float32"), np.ones((3, 4), "float32"), value
    )
    np.testing.assert_allclose(output[0], value.mean(0), rtol=1e-6)
    keys = 100 * np.eye(3, dtype="float32")
    output, _ = attention.scaled_dot_product_attention(keys[1:2], keys, value)
    np.testing.assert_allclose(output[0], value[1], atol=1e-6)


def test_order_of_keys_does_not_matter():
    rng = np.random.default_rng(0)
    query, key, value = normal(rng, 2, 3, 8), normal(rng, 2, 7, 8), normal(rng, 2, 7, 5)
    order = rng.permutation(7)
    output, weights = attention.scaled_dot_product_attention(query, key, value)
    moved, moved_weights = attention.scaled_dot_product_attention(
        query, key[:, order], value[:, order]
    )
    np.testing.assert_allclose(moved, output, atol=1e-6)
    np.testing.assert_allclose(moved_weights, np.asarray(weights)[..., order], atol=1e-6)


def test_masked_places_have_no_influence():
    rng = np.random.default_rng(1)
    query, key, value = normal(rng, 2, 3, 4), normal(rng, 2, 6, 4), normal(rng, 2, 6, 4)
    mask = some_mask(rng, 2, 1, 6)
    output, _ = attention.scaled_dot_product_attention(query, key, value, mask)
    hidden = ~mask[:, 0, :, None]
    changed, _ = attention.scaled_dot_product_attention(
        query, np.where(hidden, 1e4, key), np.where(hidden, -1e4, value), mask
    )
    np.testing.assert_array_equal(changed, output)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_nothing_to_attend_to_gives_zeros_and_finite_gradients(dtype):
    rng = np.random.default_rng(2)
    query, key, value = (tf.cast(normal(rng, 2, 3, 4), dtype) for _ in range(3))
    mask = np.ones((2, 3, 3), bool)
    mask[0, 1] = False
    with tf.GradientTape() as tape:
        tape.watch([query, key, value])
        output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
        total = tf.reduce_sum(output)
    assert not numbers(output)[0, 1].any()
    assert not numbers(weights)[0, 1].any()
    assert numbers(output)[1].all()
    for gradient in tape.gradient(total, [query, key, value]):
        assert np.isfinite(numbers(gradient)).all()


@pytest.mark.parametrize(("dtype", "precision"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_half_precision_is_rounded_once(dtype, precision):
    rng = np.random.default_rng(3)
    query, key, value = (tf.cast(3 * normal(rng, 4, 9, 64), dtype) for _ in range(3))
    mask = some_mask(rng, 4, 9, 9)
    output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    assert output.dtype == weights.dtype == dtype
    expected, expected_weights = by_hand(numbers(query), numbers(key), numbers(value), mask)
    # Float32 inside adds about 1e-5; rounding at the end adds half a unit in the last place.
    np.testing.assert_allclose(numbers(output), expected, rtol=precision, atol=1e-4)
    np.testing.assert_allclose(numbers(weights), expected_weights, rtol=precision, atol=1e-4)


def test_scores_beyond_the_range_of_float16_are_no_trouble():
    # 64 features of 200 by 200: the score is 320,000, and float16 ends at 65,504.
    query = np.full((1, 1, 64), 200, "float16")
    key = np.stack([np.full((1, 64), sign * 200, "float16") for sign in (1, -1)], 1)
    _, weights = attention.scaled_dot_product_attention(query, key, key)
    np.testing.assert_array_equal(numbers(weights), [[[1, 0]]])


def test_gradients_are_those_of_finite_differences():
    rng = np.random.default_rng(4)
    inputs = [rng.normal(size=(1, 3, 4)) for _ in range(3)]
    mask = some_mask(rng, 1, 3, 3)
    theirs, ours = tf.test.compute_gradient(
        lambda *x: attention.scaled_dot_product_attention(*x, mask)[0], inputs
    )
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": np.ones((2, 3, 5))}, "key has 4 features"),
        ({"value": np.ones((2, 7, 4))}, "value has length 7"),
        ({"key": np.ones((2, 3, 4), int)}, "key has type int"),
        ({"query": np.ones(4)}, "query has type float64 and shape"),
        ({"query": np.ones((5, 3, 4))}, "key has shape"),
        ({"value": np.ones((5, 3, 4))}, "value has shape"),
        ({"mask": np.ones((3, 3))}, "mask has type float"),
        ({"mask": np.ones((3, 2), bool)}, "mask has shape"),
        ({"mask": np.ones((1, 2, 3, 3), bool)}, "mask has shape"),
    ],
)
def test_dot_product_refuses_what_does_not_fit(arguments, message):
    good = {name: np.ones((2, 3, 4)) for name in ("query", "key", "value")}
    with pytest.raises(ValueError, match=message):
        attention.scaled_dot_product_attention(**{**good, **arguments})


@pytest.mark.parametrize("scores", [np.array([1, 2, 3]), np.array(1.0)])
def test_softmax_refuses_what_it_would_round_to_zeros_or_cannot_sum(scores):
    with pytest.raises(ValueError, match="scores has type"):
        attention.masked_softmax(scores)


def test_leading_axes_may_broadcast():
    rng = np.random.default_rng(3)
    query, key, value = normal(rng, 2, 5, 3, 4), normal(rng, 1, 6, 4), normal(rng, 6, 2)
    output, weights = attention.scaled_dot_product_attention(query, key, value)
    shapes = (2, 5, 6, 4), (2, 5, 6, 2)
    key, value = (np.broadcast_to(x, s) for x, s in zip((key, value), shapes, strict=True))
    expected_output, expected_weights = by_hand(query, key, value)
    np.testing.assert_allclose(output, expected_output, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)


# Additive attention


@some_shapes
@given(sizes, lengths, sizes, sizes, sizes, seeds)
def test_additive_equals_keras(batch, length, query_width, width, units, seed):
    rng = np.random.default_rng(seed)
    query, values = normal(rng, batch, query_width), normal(rng, batch, length, width)
    mask = some_mask(rng, batch, length)
    ours = attention.AdditiveAttention(units)
    context, weights = ours(query, values, mask=mask)
    project_query, project_key, score = ours.get_weights()
    theirs = keras.layers.AdditiveAttention()
    projected = [(query @ project_query)[:, None], values, values @ project_key]
    theirs.build([each.shape for each in projected])
    theirs.set_weights([score[:, 0]])
    expected, expected_weights = theirs(
        projected,
        mask=[None, keras.ops.convert_to_tensor(mask)],
        return_attention_scores=True,
    )
    np.testing.assert_allclose(context, expected[:, 0], atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights[:, 0], atol=1e-5)


def test_additive_with_keys_kept_is_the_same():
    rng = np.random.default_rng(5)
    layer = attention.AdditiveAttention(7)
    query, values, mask = normal(rng, 2, 3), normal(rng, 2, 5, 4), some_mask(rng, 2, 5)
    once = layer(query, values, mask=mask)
    kept = layer.attend(query, layer.project_key(values), values, mask)
    for one, other in zip(once, kept, strict=True):
        np.testing.assert_array_equal(one, other)


def test_additive_heeds_the_mask_that_the_values_carry():
    rng = np.random.default_rng(6)
    ids = np.array([[3, 1, 2, 0, 0], [2, 2, 2, 2, 0]])
    layer, embedding = attention.AdditiveAttention(7), keras.layers.Embedding(4, 3, mask_zero=True)
    query = normal(rng, 2, 3)
    context, weights = layer(query, embedding(ids))
    assert not np.asarray(weights)[ids == 0].any()
    expected, _ = layer(query, np.asarray(embedding(ids)), mask=ids != 0)
    np.testing.assert_allclose(context, expected, atol=1e-6)
    _, both = layer(query, embedding(ids), mask=ids != 2)
    np.testing.assert_array_equal(np.asarray(both) > 0, (ids != 0) & (ids != 2))


@pytest.mark.parametrize(
    ("query", "values", "message"),
    [
        ((2, 5, 3), (2, 5, 4), "query has shape"),
        ((1, 3), (2, 5, 4), "keys has shape"),
        ((2, 3), (2, 4), "keys has shape"),
    ],
)
def test_additive_refuses_what_would_broadcast(query, values, message):
    with pytest.raises(ValueError, match=message):
        attention.AdditiveAttention(7)(np.ones(query), np.ones(values))


def test_additive_refuses_values_that_are_not_as_long_as_the_keys():
    layer = attention.AdditiveAttention(7)
    layer(np.ones((2, 3)), np.ones((2, 5, 4)))
    with pytest.raises(ValueError, match="values has length 6"):
        layer.attend(np.ones((2, 3)), np.ones((2, 5, 7)), np.ones((2, 6, 4)))


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16", "mixed_bfloat16", "bfloat16"])
def test_layers_work_in_half_precision(dtype):
    rng = np.random.default_rng(7)
    query, values = normal(rng, 2, 3), normal(rng, 2, 5, 4)
    context, weights = attention.AdditiveAttention(7, dtype=dtype)(
        query, values, mask=np.array([[True] * 5, [False] * 5])
    )
    heads = attention.MultiHeadAttention(2, 8, dtype=dtype)(
        values, values, mask=np.zeros((5, 5), bool)
    )
    assert context.dtype == weights.dtype == heads.dtype == dtype.removeprefix("mixed_")
    assert not numbers(context)[1].any()
    assert np.isfinite(numbers(context)).all()
    assert not numbers(heads).any()  # the last bias, which begins at 0


# Multi-head attention


def with_weights_of(ours, theirs):
    """Gives a Keras layer the weights of one of ours, in its own shapes."""
    kernels = []
    for layer in (ours.query_projection, ours.key_projection, ours.value_projection):
        kernel, bias = layer.get_weights()
        kernels += [kernel.reshape(len(kernel), ours.num_heads, -1)]
        kernels += [bias.reshape(ours.num_heads, -1)]
    kernel, bias = ours.output_projection.get_weights()
    kernels += [kernel.reshape(ours.num_heads, -1, ours.d_model), bias]
    theirs.set_weights(kernels)


# Heads of width 1 are left out: keras.ops.add in Keras 3.15 adds their biases, of shape (heads, 1),
# along the axis of time where that is as long as there are heads.
@some_shapes
@given(sizes, sizes, lengths, st.integers(1, 4), st.integers(2, 4), sizes, seeds)
def test_multi_head_equals_keras(batch, queries, keys, num_heads, head, width, seed):
    rng = np.random.default_rng(seed)
    query, value = normal(rng, batch, queries, width), normal(rng, batch, keys, width + 1)
    key, mask = normal(rng, batch, keys, width + 2), some_mask(rng, batch, queries, keys)
    ours = attention.MultiHeadAttention(num_heads, num_heads * head)
    ours.build(query.shape, value.shape, key.shape)
    ours.set_weights([normal(rng, *weight.shape) for weight in ours.get_weights()])
    theirs = keras.layers.MultiHeadAttention(num_heads, head, output_shape=num_heads * head)
    theirs.build(query.shape, value.shape, key.shape)
    with_weights_of(ours, theirs)
    output, weights = ours(query, value, key, mask=mask, return_weights=True)
    expected, expected_weights = theirs(
        query,
        value,
        key,
        attention_mask=keras.ops.convert_to_tensor(mask),
        return_attention_scores=True,
    )
    np.testing.assert_allclose(output, expected, atol=1e-4)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-4)


def test_number_of_heads_does_not_change_the_number_of_parameters():
    counts = set()
    for num_heads in (1, 2, 4, 8):
        layer = attention.MultiHeadAttention(num_heads, 32)
        layer.build((None, None, 32), (None, None, 32))
        counts.add(layer.count_params())
    assert counts == {4 * (32 * 32 + 32)}


def test_a_mask_may_differ_between_heads():
    rng = np.random.default_rng(8)
    layer, x = attention.MultiHeadAttention(2, 8), normal(rng, 3, 4, 8)
    mask = rng.random((3, 2, 4, 4)) < 0.5
    _, weights = layer(x, x, mask=mask, return_weights=True)
    np.testing.assert_array_equal(np.asarray(weights) > 0, mask)
    _, weights = layer(x, x, mask=mask[0, 0], return_weights=True)
    np.testing.assert_array_equal(np.asarray(weights) > 0, np.broadcast_to(mask[0, 0], mask.shape))


def test_keys_and_values_can_be_kept_and_extended():
    rng = np.random.default_rng(9)
    layer, x = attention.MultiHeadAttention(2, 8), normal(rng, 3, 6, 8)
    expected = layer(x, x, mask=np.tri(6, dtype=bool))
    keys = values = np.zeros((3, 2, 0, 4), "float32")
    for i in range(6):
        key, value = layer.project_memory(x[:, i : i + 1])
        keys, values = np.concatenate([keys, key], 2), np.concatenate([values, value], 2)
        output, _ = layer.attend(layer.project_query(x[:, i : i + 1]), keys, values)
        np.testing.assert_allclose(output[:, 0], expected[:, i], atol=1e-6)


def test_multi_head_heeds_and_hands_on_the_masks_of_its_inputs():
    rng = np.random.default_rng(10)
    embedding = keras.layers.Embedding(5, 8, mask_zero=True)
    ids = np.array([[3, 1, 2, 0, 0, 0], [2, 4, 2, 2, 1, 0]])
    questions = np.array([[1, 2, 0], [3, 0, 0]])
    layer = attention.MultiHeadAttention(2, 8)
    query, value = embedding(questions), embedding(ids)
    mask = rng.random((3, 6)) < 0.8
    output, weights = layer(query, value, mask=mask, return_weights=True)
    np.testing.assert_array_equal(
        np.asarray(weights) > 0, np.broadcast_to(mask & (ids != 0)[:, None, None], weights.shape)
    )
    np.testing.assert_array_equal(output._keras_mask, questions != 0)
    plain = layer(np.asarray(query), np.asarray(value), mask=mask)
    assert getattr(plain, "_keras_mask", None) is None


def test_multi_head_in_a_functional_model_of_unknown_lengths_survives_saving(tmp_path):
    rng = np.random.default_rng(11)
    query, value = keras.Input((None, 5)), keras.Input((None, 6))
    mask = keras.Input((None, None), dtype="bool")
    output, weights = attention.MultiHeadAttention(2, 8)(
        query, value, mask=mask, return_weights=True
    )
    assert output.shape == (None, None, 8)
    model = keras.Model([query, value, mask], [output, weights])
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    for queries, keys in ((3, 4), (1, 7)):
        inputs = [normal(rng, 2, queries, 5), normal(rng, 2, keys, 6)]
        inputs += [some_mask(rng, 2, queries, keys)]
        for one, other in zip(model(inputs), copy(inputs), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: attention.AdditiveAttention(0), "units is 0"),
        (lambda: attention.MultiHeadAttention(3, 8), "d_model is 8"),
        (lambda: attention.MultiHeadAttention(2.0, 8), "num_heads is 2.0"),
        (lambda: attention.SequenceToSequence(5, 5, 4, units=7), "units is 7"),
        (lambda: attention.SequenceToSequence(5, 0, 4), "target_size is 0"),
        (lambda: attention.SequenceToSequence(5, 5, 0), "length is 0"),
        (lambda: attention.previous_ids([1, 2]), "targets has shape"),
        (lambda: attention.previous_ids(np.ones((2, 0), int)), "targets has shape"),
        (lambda: attention.split_heads(np.ones((2, 3, 5)), 2), "x has shape"),
        (lambda: attention.split_heads(np.ones((2, 3, 4)), 0), "num_heads is 0"),
        (lambda: attention.merge_heads(np.ones((2, 3, 5))), "x has shape"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@some_shapes
@given(sizes, sizes, sizes, sizes)
def test_heads_are_slices_of_the_features_and_merge_again(batch, length, num_heads, head):
    x = np.arange(batch * length * num_heads * head).reshape(batch, length, -1)
    heads = np.asarray(attention.split_heads(x, num_heads))
    assert heads.shape == (batch, num_heads, length, head)
    for i in range(num_heads):
        np.testing.assert_array_equal(heads[:, i], x[..., i * head : (i + 1) * head])
    np.testing.assert_array_equal(attention.merge_heads(heads), x)


@some_shapes
@given(st.integers(1, 30), seeds)
def test_entropy_equals_scipy(length, seed):
    weights = np.random.default_rng(seed).dirichlet(np.full(length, 0.3), size=(2, 3))
    np.testing.assert_allclose(
        attention.entropy(weights), scipy.stats.entropy(weights, axis=-1), atol=1e-9
    )


def test_entropy_of_certainty_is_zero_and_of_ignorance_log_of_the_length():
    np.testing.assert_allclose(
        attention.entropy([[0, 1, 0, 0], [0.25] * 4]), [0, math.log(4)], atol=1e-12
    )


def test_entropy_of_a_query_with_nothing_to_attend_to_is_zero():
    assert attention.entropy([[0.0, 0.0], [0.5, 0.5]])[0] == 0


@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_entropy_takes_weights_that_were_rounded(precision):
    weights = np.random.default_rng(0).dirichlet(np.full(400, 0.5), size=20)
    np.testing.assert_allclose(
        attention.entropy(weights.astype(precision)), attention.entropy(weights), atol=0.02
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (1.0, "weights has shape"),
        ([0.5, 0.7, -0.2], "smallest value -0.2"),
        ([0.5, math.nan], "not negative"),
        ([[0.5, 0.5], [1.0, 2.0]], "sums to 3"),
    ],
)
def test_entropy_refuses_what_are_no_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        attention.entropy(weights)


# Sequence to sequence


@pytest.fixture(scope="module", params=["with attention", "without"])
def model(request):
    keras.utils.set_random_seed(0)
    layer = attention.AdditiveAttention(6) if request.param == "with attention" else None
    model = attention.SequenceToSequence(9, 7, 4, layer, units=8, embedding=4)
    model.build([(None, 5), (None, 4)])
    for weight in model.weights:  # of a size at which each input matters
        weight.assign(keras.random.normal(weight.shape, stddev=1.0))
    return model


def some_sources(rng, count, length):
    ids = rng.integers(1, 9, (count, length))
    return np.where(np.arange(length) < rng.integers(1, length + 1, (count, 1)), ids, 0)


def test_writing_is_greedy_and_free_running(model):
    sources = some_sources(np.random.default_rng(0), 20, 5)
    written, _ = model.write(sources)
    logits = model((sources, attention.previous_ids(written)))
    np.testing.assert_array_equal(written, np.argmax(logits, -1))
    assert len(np.unique(np.asarray(written))) > 2


def test_a_character_depends_on_earlier_ones_alone(model):
    rng = np.random.default_rng(1)
    sources, previous = some_sources(rng, 6, 5), rng.integers(1, 7, (6, 4))
    before = np.asarray(model((sources, previous)))
    changed = previous.copy()
    changed[:, 2] = changed[:, 2] % 6 + 1
    difference = np.abs(np.asarray(model((sources, changed))) - before).max((0, 2))
    assert not difference[:2].any()
    assert (difference[2:] > 1e-4).all()


def test_more_padding_changes_nothing(model):
    sources = some_sources(np.random.default_rng(2), 20, 5)
    longer = np.pad(sources, ((0, 0), (0, 6)))
    previous = attention.previous_ids(np.ones((20, 4), int))
    np.testing.assert_allclose(model((longer, previous)), model((sources, previous)), atol=1e-5)


def test_looks_are_weights_over_the_characters(model):
    sources = some_sources(np.random.default_rng(3), 20, 5)
    _, weights = model.write(sources)
    if model.attention is None:
        assert weights is None
        return
    weights = np.asarray(weights)
    assert weights.shape == (20, 4, 5)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert not weights[np.broadcast_to(sources[:, None] == 0, weights.shape)].any()


def test_model_survives_saving(model, tmp_path):
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    sources = some_sources(np.random.default_rng(4), 20, 5)
    np.testing.assert_array_equal(copy.write(sources)[0], model.write(sources)[0])


def test_exact_match_counts_answers_that_are_right_throughout(model):
    sources = some_sources(np.random.default_rng(7), 8, 5)
    targets = np.array(model.write(sources)[0])
    assert attention.exact_match(model, sources, targets) == 1
    targets[0, 3] += 1
    targets[1] += 1
    assert attention.exact_match(model, sources, targets) == 6 / 8


@pytest.mark.parametrize(
    ("count", "targets", "message"),
    [(3, (4,), "targets has shape"), (3, (1, 4), "targets has shape"), (0, (0, 4), "sources is")],
)
def test_exact_match_refuses_what_would_broadcast(model, count, targets, message):
    with pytest.raises(ValueError, match=message):
        attention.exact_match(model, np.ones((count, 5), int), np.ones(targets, int))


@pytest.mark.parametrize("length", [3, 5])
def test_model_refuses_previous_ids_of_another_length(model, length):
    with pytest.raises(ValueError, match="previous has shape"):
        model((np.ones((2, 5), int), np.ones((2, length), int)))


def test_training_teaches_it_to_turn_words_round():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(5)
    sources = rng.integers(1, 6, (1_536, 3))
    model = attention.SequenceToSequence(6, 6, 3, attention.AdditiveAttention(16), units=32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    targets = sources[:, ::-1]
    fresh = rng.integers(1, 6, (200, 3))
    exact = attention.ExactMatch(fresh, fresh[:, ::-1])
    inputs = (sources, attention.previous_ids(targets))
    model.fit(inputs, targets, epochs=6, verbose=0, callbacks=[exact])
    assert len(exact.scores) == 6
    assert exact.scores[-1] == attention.exact_match(model, fresh, fresh[:, ::-1]) > 0.9


def test_previous_ids_begin_with_the_start():
    np.testing.assert_array_equal(
        attention.previous_ids([[3, 4, 5], [6, 7, 8]]),
        [[attention.START, 3, 4], [attention.START, 6, 7]],
    )


def test_the_full_profile_takes_a_step():
    profiles = tomllib.loads((ROOT / "notebooks" / "profiles.toml").read_text(encoding="utf-8"))
    full = profiles["03_attention"]["full"]
    layer = attention.AdditiveAttention(full["attention_units"])
    model = attention.SequenceToSequence(54, 13, 3, layer, units=full["units"])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(6)
    sources, targets = rng.integers(0, 54, (2, 5)), rng.integers(1, 13, (2, 3))
    loss = model.train_on_batch((sources, attention.previous_ids(targets)), targets)
    assert np.isfinite(loss)
