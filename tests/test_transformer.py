import itertools
import math

from helpers import attention, transformer
from helpers.transformer import (
    CountingModel,
    DecoderBlock,
    EncoderBlock,
    LabelSmoothedLoss,
    LanguageModel,
    Transformer,
    WarmUp,
    beam_search,
    causal_mask,
    greedy_decode,
    greedy_without_cache,
    padding_mask,
    prepare,
    sample,
    sinusoidal_encoding,
)

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

few = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(0, 2**20)
lengths = st.integers(1, 6)
SIZE = 9


@pytest.fixture(scope="module")
def models():
    """Small models whose weights are large enough that every mistake shows."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    made = {}
    for pre_norm, positions in itertools.product((True, False), ("sinusoidal", "learned")):
        small = {"d_model": 8, "num_heads": 2, "d_ff": 12, "max_length": 16}
        style = {"pre_norm": pre_norm, "positions": positions}
        both = (
            Transformer(SIZE, SIZE - 1, **small, **style),
            LanguageModel(SIZE, **small, **style),
        )
        both[0].build(((None, None), (None, None)))
        both[1].build((None, None))
        for model in both:
            for weight in model.trainable_variables:
                weight.assign(weight + rng.normal(0, 0.3, weight.shape))
        made[pre_norm, positions] = both
    return made


kinds = st.tuples(st.booleans(), st.sampled_from(["sinusoidal", "learned"]))


def draw(seed, *shape, low=1, high=SIZE - 1):
    return np.random.default_rng(seed).integers(low, high, shape).astype("int32")


def scores(logits):
    return np.asarray(keras.ops.log_softmax(logits))


# --- positions and masks -------------------------------------------------------------------


@given(length=st.integers(1, 40), half=st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_sinusoidal_encoding_is_the_papers_formula(length, half):
    encoding = sinusoidal_encoding(length, 2 * half)
    assert encoding.shape == (length, 2 * half)
    assert encoding.dtype == np.float32
    for t, i in itertools.product(range(length), range(half)):
        angle = t / 10000 ** (2 * i / (2 * half))
        assert encoding[t, 2 * i] == pytest.approx(math.sin(angle), abs=1e-5)
        assert encoding[t, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-5)


def test_likeness_of_two_places_depends_on_their_distance_alone():
    encoding = sinusoidal_encoding(50, 32)
    likeness = encoding @ encoding.T
    for distance in range(50):
        np.testing.assert_allclose(
            np.diagonal(likeness, distance), likeness[0, distance], atol=1e-4
        )


@given(length=st.integers(1, 9), past=st.integers(0, 5))
@few
def test_causal_mask_by_brute_force(length, past):
    mask = np.asarray(causal_mask(length, past))
    for i, j in itertools.product(range(length), range(past + length)):
        assert mask[i, j] == (j <= past + i)


def test_padding_mask_hides_zeros_from_all_heads_and_queries():
    mask = padding_mask(np.array([[3, 0, 4, 0]]))
    assert mask.shape == (1, 1, 1, 4)
    assert np.asarray(mask).ravel().tolist() == [True, False, True, False]


# --- blocks against Keras ------------------------------------------------------------------


def keras_attention(ours, query, value, mask):
    """Keras' own layer with our layer's weights."""
    heads, width = ours.num_heads, ours.d_model
    layer = keras.layers.MultiHeadAttention(heads, width // heads)
    layer.build(query.shape, value.shape)
    weights = []
    for projection in (ours.query_projection, ours.key_projection, ours.value_projection):
        kernel, bias = projection.get_weights()
        weights += [kernel.reshape(-1, heads, width // heads), bias.reshape(heads, -1)]
    kernel, bias = ours.output_projection.get_weights()
    layer.set_weights([*weights, kernel.reshape(heads, width // heads, width), bias])
    return np.asarray(layer(query, value, attention_mask=mask))


def keras_norm(ours, x):
    layer = keras.layers.LayerNormalization(epsilon=1e-6)
    layer.build(x.shape)
    layer.set_weights(ours.get_weights())
    return np.asarray(layer(x))


def around(sublayer, x, function):
    """One sub-layer as the two papers write it."""
    if sublayer.pre_norm:
        return x + function(keras_norm(sublayer.norm, x))
    return keras_norm(sublayer.norm, x + function(x))


def feed_forward(sublayer, x):
    (w1, b1), (w2, b2) = sublayer.expand.get_weights(), sublayer.contract.get_weights()
    return np.maximum(x @ w1 + b1, 0) @ w2 + b2


@given(st.booleans(), st.sampled_from([1, 2, 3]), lengths, lengths, seeds)
@few
def test_blocks_equal_keras_layers_with_the_same_weights(pre_norm, heads, length, read, seed):
    width = 4 * heads
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    x = rng.normal(size=(2, length, width)).astype("float32")
    memory = rng.normal(size=(2, read, width)).astype("float32")
    mask = np.tril(np.ones((1, length, length), bool))
    memory_mask = np.ones((2, 1, 1, read), bool)
    memory_mask[1, ..., 1:] = False

    block = DecoderBlock(width, heads, 10, pre_norm=pre_norm)
    got = np.asarray(block(x, memory, attention_mask=mask, memory_mask=memory_mask))
    own, cross = block.self_attention, block.cross_attention
    want = around(own, x, lambda y: keras_attention(own.attention, y, y, mask))
    want = around(
        cross, want, lambda y: keras_attention(cross.attention, y, memory, memory_mask[:, 0])
    )
    want = around(block.feed_forward, want, lambda y: feed_forward(block.feed_forward, y))
    np.testing.assert_allclose(got, want, atol=1e-4)

    block = EncoderBlock(width, heads, 10, pre_norm=pre_norm)
    got = np.asarray(block(x))
    own = block.self_attention
    want = around(own, x, lambda y: keras_attention(own.attention, y, y, None))
    want = around(block.feed_forward, want, lambda y: feed_forward(block.feed_forward, y))
    np.testing.assert_allclose(got, want, atol=1e-4)


# --- what the models may see ---------------------------------------------------------------


@given(kinds, st.integers(2, 7), st.data(), seeds)
@few
def test_changing_the_future_leaves_the_past_as_it_was(models, kind, length, data, seed):
    changed = data.draw(st.integers(1, length - 1))
    source, before = draw(seed, 2, 5), draw(seed + 1, 2, length)
    after = before.copy()
    after[:, changed:] = before[:, changed:] % (SIZE - 2) + 1
    writer, language_model = models[kind]
    for outputs in (
        [np.asarray(writer((source, ids))) for ids in (before, after)],
        [np.asarray(language_model(ids)) for ids in (before, after)],
    ):
        np.testing.assert_allclose(outputs[0][:, :changed], outputs[1][:, :changed], atol=1e-5)
        assert np.abs(outputs[0][:, changed:] - outputs[1][:, changed:]).max() > 1e-3


@given(kinds, lengths, st.integers(1, 5), seeds)
@few
def test_padding_changes_nothing(models, kind, length, padding, seed):
    source, previous = draw(seed, 2, length), draw(seed + 1, 2, 4)
    padded = np.pad(source, ((0, 0), (0, padding)))
    writer, _ = models[kind]
    np.testing.assert_allclose(
        np.asarray(writer((source, previous))), np.asarray(writer((padded, previous))), atol=1e-5
    )


def test_without_positions_the_encoder_sees_a_bag():
    model = Transformer(SIZE, d_model=8, num_heads=2, d_ff=8, positions="none")
    ids = draw(0, 2, 6)
    order = np.array([3, 1, 5, 0, 2, 4])
    np.testing.assert_allclose(
        np.asarray(model.encode(ids[:, order])), np.asarray(model.encode(ids))[:, order], atol=1e-5
    )


def test_the_popular_mistake_sees_the_future():
    source, before = draw(0, 2, 5), draw(1, 2, 4)
    after = before.copy()
    after[:, -1] = after[:, -1] % (SIZE - 2) + 1
    peeking = transformer.SeesTheFuture(SIZE, d_model=8, num_heads=2, d_ff=8)
    first = [np.asarray(peeking((source, ids)))[:, 0] for ids in (before, after)]
    assert np.abs(first[0] - first[1]).max() > 1e-4


def test_learned_positions_start_as_large_as_the_sinusoids():
    keras.utils.set_random_seed(0)
    added = transformer.LearnedPositions(400)(np.zeros((1, 400, 64), "float32"))
    sines = np.sqrt(np.mean(sinusoidal_encoding(400, 64) ** 2))
    assert np.sqrt(np.mean(np.square(added))) == pytest.approx(sines, rel=0.05)
    assert sines == pytest.approx(0.5**0.5)


def test_attention_maps_sum_to_one_and_respect_the_masks(models):
    source = draw(0, 2, 5)
    source[1, 3:] = 0
    maps = models[True, "sinusoidal"][0].attention_maps(source, draw(1, 2, 4))
    assert maps["encoder"].shape == (2, 2, 2, 5, 5)
    assert maps["decoder"].shape == (2, 2, 2, 4, 4)
    assert maps["cross"].shape == (2, 2, 2, 4, 5)
    for weights in maps.values():
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert not np.triu(maps["decoder"], 1).any()
    assert not maps["cross"][:, 1, :, :, 3:].any()


# --- writing -------------------------------------------------------------------------------


@given(kinds, st.lists(lengths, min_size=1, max_size=3), seeds)
@few
def test_steps_with_a_cache_equal_one_call(models, kind, pieces, seed):
    source, ids = draw(seed, 3, 5), draw(seed + 1, 3, min(sum(pieces), 16))
    for model, inputs, whole in (
        (models[kind][0], source, models[kind][0]((source, ids))),
        (models[kind][1], ids, models[kind][1](ids)),
    ):
        state, parts, at = model.start(inputs), [], 0
        for piece in pieces:
            logits, state = model.compiled_step(ids[:, at : at + piece], state)
            parts.append(logits)
            at += piece
        np.testing.assert_allclose(np.concatenate(parts, 1), np.asarray(whole), atol=1e-4)


def start_of(model, seed, rows=3):
    source = draw(seed, rows, 5)
    return np.zeros((rows, 1), "int32"), model.start(source)


@given(kinds, st.integers(1, 6), seeds, st.booleans())
@few
def test_greedy_writes_the_same_with_and_without_cache(models, kind, length, seed, which):
    model = models[kind][which]
    first, state = start_of(model, seed)
    ids, _ = greedy_decode(model, first, state, length)
    np.testing.assert_array_equal(ids, greedy_without_cache(model, first, state, length))


@given(kinds, seeds, st.booleans(), st.sampled_from([None, 3]))
@few
def test_beam_of_one_is_greedy(models, kind, seed, which, end):
    model = models[kind][which]
    first, state = start_of(model, seed)
    ids, total = greedy_decode(model, first, state, 5, end=end)
    beam_ids, beam_total = beam_search(model, first, state, 5, width=1, end=end)
    np.testing.assert_array_equal(ids, beam_ids)
    np.testing.assert_allclose(total, beam_total, atol=1e-6)


@given(kinds, seeds)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_beam_that_holds_everything_finds_the_best_text(models, kind, seed):
    model = models[kind][1]
    texts = np.array(list(itertools.product(range(SIZE), repeat=2)), "int32")
    previous = np.pad(texts[:, :-1], ((0, 0), (1, 0)))
    told = np.take_along_axis(scores(model(previous)), texts[..., None], axis=2).sum((1, 2))
    first, state = start_of(model, seed, rows=1)
    ids, total = beam_search(model, first, state, 2, width=SIZE)
    _, greedy_total = greedy_decode(model, first, state, 2)
    np.testing.assert_array_equal(ids[0], texts[told.argmax()])
    assert total[0] == pytest.approx(told.max(), abs=1e-4)
    assert total[0] >= greedy_total[0] - 1e-6


class Table:
    """A model that is a table of probabilities: what follows a text depends on the text."""

    def __init__(self, table, size):
        self.table = table
        self.size = size

    def start(self, first):
        return {"texts": np.asarray(first)[:, :0]}

    def compiled_step(self, ids, state):
        texts = np.concatenate([state["texts"], ids], axis=1)
        rows = [self.table.get(tuple(text[1:]), np.ones(self.size)) for text in texts.tolist()]
        return np.log(np.array(rows) + 1e-12)[:, None], {"texts": texts}


def test_beam_finds_what_greedy_misses():
    # 1 looks best, but what follows it is uncertain; after 2 all is clear.
    table = Table({(): [0, 0.55, 0.45], (1,): [0.4, 0.3, 0.3], (2,): [0, 0, 1]}, 3)
    first = np.zeros((1, 1), "int32")
    greedy_ids, greedy_total = greedy_decode(table, first, table.start(first), 2)
    ids, total = beam_search(table, first, table.start(first), 2, width=2)
    assert greedy_ids.tolist() == [[1, 0]]
    assert greedy_total[0] == pytest.approx(math.log(0.55 * 0.4))
    assert ids.tolist() == [[2, 2]]
    assert total[0] == pytest.approx(math.log(0.45))


def test_a_wider_beam_can_lose_to_greedy():
    # Greedy's beginning, 1 0, is third best after two characters, and certain afterwards.
    table = Table(
        {
            (): [0, 0.52, 0.48],
            (1,): [0.34, 0.33, 0.33],
            (2,): [0, 0.5, 0.5],
            (1, 0): [1, 0, 0],
        },
        3,
    )
    first = np.zeros((1, 1), "int32")
    _, greedy_total = greedy_decode(table, first, table.start(first), 3)
    _, total = beam_search(table, first, table.start(first), 3, width=2)
    assert total[0] < greedy_total[0]


def test_after_the_end_only_padding_is_written():
    table = Table({(): [0, 0.1, 0.9], (2,): [0.2, 0.5, 0.3]}, 3)
    first = np.zeros((2, 1), "int32")
    for ids, total in (
        greedy_decode(table, first, table.start(first), 4, end=2),
        beam_search(table, first, table.start(first), 4, width=1, end=2),
        beam_search(table, first, table.start(first), 4, width=3, end=2),
    ):
        assert ids.tolist() == [[2, 0, 0, 0]] * 2
        np.testing.assert_allclose(total, math.log(0.9), atol=1e-9)


def test_samples_follow_the_distribution():
    table = Table({(): [0.1, 0.2, 0.7]}, 3)
    first = np.zeros((20_000, 1), "int32")
    ids, total = sample(table, first, table.start(first), 1, np.random.default_rng(0))
    shares = np.bincount(ids[:, 0], minlength=3) / len(ids)
    # Four standard deviations of a share among 20,000 draws.
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=4 * 0.5 / math.sqrt(20_000))
    np.testing.assert_allclose(np.exp(total), np.array([0.1, 0.2, 0.7])[ids[:, 0]], atol=1e-6)


# --- training ------------------------------------------------------------------------------


@given(st.integers(2, 9), st.sampled_from([0.0, 0.1, 0.4]), seeds)
@few
def test_loss_equals_keras_on_the_real_characters(size, smoothing, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(3, 5, size)).astype("float32")
    targets = rng.integers(0, size, (3, 5))
    targets[0, 0] = 1
    real = targets != 0
    oracle = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    want = float(oracle(np.eye(size, dtype="float32")[targets[real]], logits[real]))
    loss = LabelSmoothedLoss(smoothing)
    assert float(loss(targets, logits)) == pytest.approx(want, abs=1e-5)
    logits[~real] = 100 * rng.normal(size=logits[~real].shape)
    assert float(loss(targets, logits)) == pytest.approx(want, abs=1e-5)


@given(st.sampled_from([64, 512]), st.integers(1, 5000), st.integers(1, 20000))
@few
def test_warm_up_is_equation_3(d_model, warmup, step):
    peak = (d_model * warmup) ** -0.5
    want = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    assert float(WarmUp(peak, warmup)(step - 1)) == pytest.approx(want, rel=1e-4)


def test_prepare_warms_up_and_comes_to_rest():
    model = LanguageModel(5, num_layers=1, d_model=4, num_heads=1, d_ff=4)
    model.build((None, None))
    prepare(model, peak_rate=0.01, steps=100)
    rate = model.optimizer._learning_rate
    rates = [float(rate(step)) for step in range(101)]
    assert max(rates) == pytest.approx(0.01, rel=0.01)
    assert rates.index(max(rates)) == pytest.approx(10, abs=1)
    assert rates[0] < 0.001
    assert rates[100] == pytest.approx(0, abs=1e-6)
    assert model.optimizer.built


def test_a_small_model_learns_to_copy_and_has_a_config():
    keras.utils.set_random_seed(0)
    ids = draw(0, 256, 3)
    model = Transformer(SIZE, num_layers=1, d_model=16, num_heads=2, d_ff=16)
    model.build(((None, None), (None, None)))
    prepare(model, peak_rate=0.01, steps=320, smoothing=0.0)
    previous = attention.previous_ids(ids)
    history = model.fit((ids, previous), ids, batch_size=32, epochs=40, verbose=0)
    assert history.history["loss"][-1] < 0.2 < history.history["loss"][0]
    again = Transformer.from_config(model.get_config())
    again.build(((None, None), (None, None)))
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.asarray(again((ids, previous))), np.asarray(model((ids, previous))), atol=1e-5
    )


# Keras reads its variables in a way that NumPy 2 deprecates.
def test_models_survive_saving(models, tmp_path):
    ids = draw(0, 2, 4)
    writer, language_model = models[True, "learned"]
    for model, inputs in ((writer, (ids, ids)), (language_model, ids)):
        expected = np.asarray(model(inputs))
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(np.asarray(again(inputs)), expected, atol=1e-6)


def test_models_of_the_full_profile_take_a_step():
    full = {"d_model": 256, "num_layers": 4, "num_heads": 8, "d_ff": 1024}
    ids = draw(0, 2, 3)
    writer, language_model = Transformer(SIZE, SIZE, **full), LanguageModel(SIZE, **full)
    for model, inputs in ((writer, (ids, ids)), (language_model, ids)):
        model(inputs)
        prepare(model, peak_rate=1e-3, steps=10, warmup_share=0.1)
        model.run_eagerly = True  # one step is not worth compiling
        before = model.get_weights()
        model.train_on_batch(inputs, ids)
        assert model.optimizer.iterations == 1
        model.train_on_batch(inputs, ids)  # the rate is 0 at the very first step
        assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


# --- the paper's size ----------------------------------------------------------------------


def parameters(tokens, layers=6, d_model=512, num_heads=8, d_ff=2048):
    """Counts a post-norm model from its blocks, without building those that repeat."""
    blocks = [
        kind(d_model, num_heads, d_ff, pre_norm=False) for kind in (EncoderBlock, DecoderBlock)
    ]
    for block in blocks:
        block.build((None, None, d_model))
    return tokens * d_model + layers * sum(block.count_params() for block in blocks)


@pytest.mark.parametrize(
    ("millions", "changes"),
    [
        (65, {}),
        (36, {"layers": 2}),
        (50, {"layers": 4}),
        (80, {"layers": 8}),
        (28, {"d_model": 256}),
        (168, {"d_model": 1024}),
        (53, {"d_ff": 1024}),
        (90, {"d_ff": 4096}),
    ],
)
def test_parameters_of_table_3(millions, changes):
    # The text says "about 37000" ids. One vocabulary fits all eight rows, and it has about 41,000.
    assert round(parameters(41_000, **changes) / 1e6) == millions
    assert parameters(37_000, **changes) / 1e6 == pytest.approx(millions, rel=0.08)


def test_base_model_counts_as_its_blocks_do():
    model = Transformer(37_000, num_layers=6, d_model=512, num_heads=8, d_ff=2048, pre_norm=False)
    model.build(((None, 10), (None, 10)))
    attend = 4 * (512 * 512 + 512)
    think = 2 * 512 * 2048 + 2048 + 512
    norm = 2 * 512
    encoder = 6 * (attend + think + 2 * norm)
    decoder = 6 * (2 * attend + think + 3 * norm)
    assert model.count_params() == 37_000 * 512 + encoder + decoder == parameters(37_000)
    assert model.count_params() == pytest.approx(65e6, rel=0.03)


# --- the baseline --------------------------------------------------------------------------


@given(st.integers(1, 4), seeds)
@few
def test_counting_model_gives_probabilities(order, seed):
    rows = draw(seed, 6, 5, low=0, high=6)
    model = CountingModel(order, 6).fit(rows)
    for context in ((), (1,), (2, 3), (1, 2, 3, 4), tuple(int(i) for i in rows[0, :3])):
        assert sum(model.probability(context, i) for i in range(6)) == pytest.approx(1)


def test_counting_model_by_hand():
    # After the given 1: twice 2, once 3. Two kinds in three: (count + 2 / 4) / (3 + 2).
    model = CountingModel(1, 4).fit([[1, 2, 2], [1, 3, 0]])
    assert model.probability((), 2) == pytest.approx((2 + 2 / 4) / 5)
    assert model.probability((), 3) == pytest.approx((1 + 2 / 4) / 5)
    assert model.cross_entropy([[1, 3, 0]]) == pytest.approx(-math.log(0.3))


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sinusoidal_encoding(0, 4), "length is 0"),
        (lambda: sinusoidal_encoding(4, 5), "d_model is 5; it must be even"),
        (lambda: Transformer(5, positions="cosine"), "positions is 'cosine'"),
        (lambda: Transformer(0), "size is 0"),
        (lambda: Transformer(5, num_layers=0), "num_layers is 0"),
        (lambda: Transformer(5, d_model=10, num_heads=4), "d_model is 10"),
        (lambda: EncoderBlock(8, 2, 0), "d_ff is 0"),
        (lambda: LabelSmoothedLoss(1.0), "smoothing is 1.0"),
        (lambda: WarmUp(0.1, 0), "warmup_steps is 0"),
        (lambda: WarmUp(0.0, 5), "peak_rate is 0.0"),
        (lambda: WarmUp(math.nan, 5), "peak_rate is nan"),
        (lambda: causal_mask(0), "length is 0"),
        (lambda: causal_mask(2.5), "length is 2.5"),
        (lambda: causal_mask(3, -1), "past is -1"),
        (lambda: padding_mask([1, 2, 0]), r"ids has shape \(3,\)"),
        (lambda: transformer.NoPositions(0), "max_length is 0"),
        (lambda: CountingModel(2, 3).fit([1, 2]), r"rows has shape \(2,\)"),
        (lambda: CountingModel(2, 3).fit([[1, 3]]), "ids from 1 to 3"),
        (lambda: CountingModel(2, 3).fit([[-1, 2]]), "ids from -1 to 2"),
        (lambda: CountingModel(2, 3).cross_entropy([[1, 0], [2, 0]]), "no row with a second id"),
        (lambda: LabelSmoothedLoss()(np.ones((2, 1)), np.ones((2, 3, 4))), r"targets has shape"),
        (lambda: LabelSmoothedLoss()(np.ones((2, 3)), np.ones((2, 3))), r"targets has shape"),
        (lambda: CountingModel(0, 3), "order is 0"),
        (lambda: beam_search(None, np.zeros((1, 1)), {}, 3, width=0), "width is 0"),
        (lambda: beam_search(None, np.zeros((1, 1)), {}, 0), "length is 0"),
        (lambda: greedy_decode(None, np.zeros((1, 1)), {}, 0), "length is 0"),
        (lambda: prepare(LanguageModel(3), 0.1, 0), "steps is 0"),
        (lambda: prepare(LanguageModel(3), -0.1, 5), "peak_rate is -0.1"),
        (lambda: prepare(LanguageModel(3), 0.1, 5, warmup_share=2), "warmup_share is 2"),
        (lambda: prepare(LanguageModel(3), 0.1, 5), "model has no weights yet"),
        (
            lambda: transformer.LearnedPositions(3)(np.zeros((1, 4, 2), "float32")),
            "4 places; there are positions for 3",
        ),
        (
            lambda: transformer.LearnedPositions(3)(np.zeros((1, 2, 2), "float32"), first=2),
            "2 places after 2 others; there are positions for 3",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("write", [greedy_decode, greedy_without_cache, beam_search])
def test_writing_refuses_what_does_not_fit_together(models, write):
    _, model = models[True, "learned"]
    prompt = draw(0, 3, 4)
    state = model.start(prompt)
    for first, length, message in (
        (prompt, 0, "length is 0"),
        (prompt[:2], 3, "first has 2 rows; it must have as many as state, 3"),
        (prompt[:, 0], 3, r"shape \(3,\); it must be whole numbers"),
        (prompt[:, :0], 3, "at least one for each row"),
        (prompt.astype("float32"), 3, "first has type float32"),
        (prompt, 14, "length is 14; after 4 ids a model of max_length 16 can write at most 13"),
    ):
        with pytest.raises(ValueError, match=message):
            write(model, first, state, length)


def test_writing_fills_the_last_place_there_is(models):
    _, model = models[True, "learned"]
    prompt = draw(0, 3, 4)
    state = model.start(prompt)
    ids, _ = greedy_decode(model, prompt, state, 13)
    np.testing.assert_array_equal(ids, greedy_without_cache(model, prompt, state, 13))
    _, state = model.compiled_step(prompt, state)
    with pytest.raises(ValueError, match="after 5 ids a model of max_length 16 can write at most"):
        greedy_decode(model, prompt[:, -1:], state, 13)


def test_sources_and_previous_ids_must_be_of_the_same_texts(models):
    model, _ = models[True, "sinusoidal"]
    for call in (lambda a, b: model((a, b)), model.attention_maps):
        with pytest.raises(ValueError, match="previous has 3 rows; it must have as many as sourc"):
            call(draw(0, 1, 5), draw(1, 3, 4))


def test_half_precision_is_kept():
    block = EncoderBlock(8, 2, 8, dtype="bfloat16")
    assert block(tf.ones((1, 3, 8), "bfloat16")).dtype == "bfloat16"
