from helpers import recurrent

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

STEPS = {
    "rnn": (recurrent.rnn_step, keras.layers.SimpleRNN, 1),
    "lstm": (recurrent.lstm_step, keras.layers.LSTM, 2),
    "gru": (recurrent.gru_step, keras.layers.GRU, 1),
}
each_step = pytest.mark.parametrize("name", STEPS)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.integers(1, 7))


def _layer_and_inputs(name, shape, seed=0, **options):
    batch, length, features, units = shape
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(batch, length, features)).astype("float32")
    layer = STEPS[name][1](units, return_sequences=True, **options)
    layer.build(inputs.shape)
    # Biases start at 0 and 1; random ones show whether each stands where it belongs.
    layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    states = [np.zeros((batch, units), "float32") for _ in range(STEPS[name][2])]
    return layer, inputs, states


@each_step
@settings(max_examples=12, deadline=None)
@given(shape=shapes, seed=st.integers(0, 999))
def test_steps_equal_the_layers_of_keras(name, shape, seed):
    layer, inputs, states = _layer_and_inputs(name, shape, seed)
    outputs, _ = recurrent.unroll(STEPS[name][0], inputs, states, layer.get_weights())
    np.testing.assert_allclose(outputs, layer(inputs), atol=1e-5)


@each_step
def test_last_states_equal_those_of_keras(name):
    layer, inputs, states = _layer_and_inputs(name, (3, 5, 2, 4), return_state=True)
    first = [np.full_like(state, 0.3) for state in states]
    outputs, last = recurrent.unroll(STEPS[name][0], inputs, first, layer.get_weights())
    expected_outputs, *expected = layer(inputs, initial_state=[tf.constant(s) for s in first])
    np.testing.assert_allclose(outputs, expected_outputs, atol=1e-5)
    assert len(last) == len(expected)
    for ours, theirs in zip(last, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@each_step
@settings(max_examples=12, deadline=None)
@given(shape=shapes, seed=st.integers(0, 999))
def test_masked_steps_equal_those_of_keras(name, shape, seed):
    layer, inputs, states = _layer_and_inputs(name, shape, seed)
    mask = np.random.default_rng(seed).random(inputs.shape[:2]) < 0.6
    outputs, _ = recurrent.unroll(STEPS[name][0], inputs, states, layer.get_weights(), mask)
    np.testing.assert_allclose(outputs, layer(inputs, mask=tf.constant(mask)), atol=1e-5)


@each_step
@settings(max_examples=8, deadline=None)
@given(padding=st.integers(0, 5), seed=st.integers(0, 999))
def test_padding_changes_nothing(name, padding, seed):
    layer, inputs, states = _layer_and_inputs(name, (2, 4, 3, 5), seed)
    weights, step = layer.get_weights(), STEPS[name][0]
    padded = np.pad(inputs, ((0, 0), (0, padding), (0, 0)), constant_values=9.0)
    mask = np.arange(4 + padding) < np.array([[4], [4]])
    short, last = recurrent.unroll(step, inputs, states, weights)
    long, last_padded = recurrent.unroll(step, padded, states, weights, mask)
    np.testing.assert_array_equal(long[:, :4], short)
    for a, b in zip(last, last_padded, strict=True):
        np.testing.assert_array_equal(a, b)


@each_step
def test_the_future_changes_nothing_before_it(name):
    layer, inputs, states = _layer_and_inputs(name, (2, 6, 3, 5))
    changed = inputs.copy()
    changed[:, 4:] += 3.0
    before, after = (
        np.asarray(recurrent.unroll(STEPS[name][0], x, states, layer.get_weights())[0])
        for x in (inputs, changed)
    )
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


def test_an_open_forget_gate_remembers_for_ever():
    # f = 1 and i = 0: the memory must stay as it is, whatever is read.
    bias = np.repeat([-100.0, 100.0, 0.0, 0.0], 3).astype("float32")
    kernel, recurrent_kernel = np.ones((2, 12), "float32"), np.ones((3, 12), "float32")
    states = [np.zeros((1, 3), "float32"), np.full((1, 3), 0.7, "float32")]
    inputs = np.random.default_rng(0).normal(size=(1, 50, 2)).astype("float32")
    weights = [kernel, recurrent_kernel, bias]
    _, (_, c) = recurrent.unroll(recurrent.lstm_step, inputs, states, weights)
    np.testing.assert_allclose(c, states[1], rtol=1e-6)


def test_unroll_refuses_other_shapes_and_masks():
    states, weights = [np.zeros((2, 3), "float32")], [np.zeros((1, 3)), np.zeros((3, 3)), 0.0]
    inputs = np.zeros((2, 4, 1), "float32")
    with pytest.raises(ValueError, match="inputs has shape"):
        recurrent.unroll(recurrent.rnn_step, inputs[0], states, weights)
    with pytest.raises(ValueError, match="mask is float32"):
        recurrent.unroll(recurrent.rnn_step, inputs, states, weights, np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match="mask is bool of shape"):
        recurrent.unroll(recurrent.rnn_step, inputs, states, weights, np.ones((2, 3), bool))
    with pytest.raises(ValueError, match="T at least 1"):
        recurrent.unroll(recurrent.rnn_step, inputs[:, :0], states, weights)
    # One row of states for two of inputs would be shared out without a word.
    for shape in ((1, 3), (3,)):
        with pytest.raises(ValueError, match="states has an array of shape"):
            recurrent.unroll(recurrent.rnn_step, inputs, [np.zeros(shape, "float32")], weights)


@each_step
def test_gradient_reach_equals_finite_differences(name):
    layer, inputs, states = _layer_and_inputs(name, (2, 4, 2, 3))
    step, weights = STEPS[name][0], [w.astype("float64") for w in layer.get_weights()]
    inputs, states = inputs.astype("float64"), [s.astype("float64") for s in states]
    reach = recurrent.gradient_reach(step, inputs, states, weights)

    def last(x):
        return np.asarray(recurrent.unroll(step, x, states, weights)[0])[:, -1]

    squares = np.zeros(inputs.shape[:2])
    for t in range(4):
        for feature in range(2):
            nudge = np.zeros_like(inputs)
            nudge[:, t, feature] = 1e-5
            slope = (last(inputs + nudge) - last(inputs - nudge)) / 2e-5
            squares[:, t] += (slope**2).sum(axis=1)
    np.testing.assert_allclose(reach, np.sqrt(squares).mean(axis=0), rtol=1e-5)


def test_gradient_reach_of_a_nearly_linear_network_is_a_power_of_its_weight():
    # Near 0 tanh is the identity, so that ∂h_T/∂x_t = u^(T-t) w.
    weights = [np.array([[0.5]]), np.array([[0.8]]), np.zeros(1)]
    reach = recurrent.gradient_reach(
        recurrent.rnn_step, np.full((1, 10, 1), 1e-6), [np.zeros((1, 1))], weights
    )
    np.testing.assert_allclose(reach, 0.5 * 0.8 ** np.arange(9, -1, -1), rtol=1e-6)


def test_gradient_norm_model_reports_the_norm_before_clipping():
    x, y = np.array([[3.0]], "float32"), np.array([[1.0]], "float32")
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    inputs = keras.Input((1,))
    model = recurrent.GradientNormModel(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(1.0, global_clipnorm=0.5), loss="mse")
    logs = model.train_on_batch(x, y, return_dict=True)
    assert logs["gradient_norm"] == pytest.approx(6.0)  # d(3w - 1)²/dw at w = 0
    assert float(layer.kernel.numpy().squeeze()) == pytest.approx(0.5)  # the clipped step


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_windows_equal_brute_force(data):
    length = data.draw(st.integers(2, 20))
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    inputs, horizon = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 5))
    values = np.arange(length, dtype="float32")
    places = [t for t in range(inputs, length) if start <= t and t + horizon <= stop]
    if not places:
        with pytest.raises(ValueError, match="no window"):
            recurrent.time_windows(values, start, stop, inputs, horizon)
        return
    x, y = recurrent.time_windows(values, start, stop, inputs, horizon)
    np.testing.assert_array_equal(x, [values[t - inputs : t] for t in places])
    np.testing.assert_array_equal(y, [values[t : t + horizon] for t in places])


def test_windows_refuse_bad_numbers():
    values = np.arange(10.0)
    with pytest.raises(ValueError, match="values has shape"):
        recurrent.time_windows(values[None], 0, 5, 2, 1)
    with pytest.raises(ValueError, match="start and stop are 6 and 4"):
        recurrent.time_windows(values, 6, 4, 2, 1)
    with pytest.raises(ValueError, match="start and stop are 0 and 11"):
        recurrent.time_windows(values, 0, 11, 2, 1)
    with pytest.raises(ValueError, match="horizon is 0"):
        recurrent.time_windows(values, 0, 10, 2, 0)
    with pytest.raises(ValueError, match="inputs is 0"):
        recurrent.time_windows(values, 0, 10, 0, 1)
    with pytest.raises(ValueError, match="start is 2.5"):
        recurrent.time_windows(values, 2.5, 10, 2, 1)
    with pytest.raises(ValueError, match="stop is 9.0"):
        recurrent.time_windows(values, 0, 9.0, 2, 1)


def test_naive_forecasts_are_exact_where_they_should_be():
    constant, season = np.full(30, 4.0), np.tile([1.0, 5.0, 2.0], 10)
    x, y = recurrent.time_windows(constant, 0, 30, 6, 4)
    np.testing.assert_array_equal(recurrent.naive_forecast(x, 4), y)
    x, y = recurrent.time_windows(season, 0, 30, 6, 7)
    np.testing.assert_array_equal(recurrent.seasonal_naive_forecast(x, 7, 3), y)
    with pytest.raises(ValueError, match="season is 7"):
        recurrent.seasonal_naive_forecast(x, 7, 7)


def test_naive_forecasts_refuse_bad_input():
    for forecast in (
        recurrent.naive_forecast,
        lambda x, horizon: recurrent.seasonal_naive_forecast(x, horizon, 1),
    ):
        with pytest.raises(ValueError, match="x has shape"):
            forecast(np.zeros(5), 2)
        with pytest.raises(ValueError, match="x has shape"):
            forecast(np.zeros((5, 0)), 2)
        with pytest.raises(ValueError, match="horizon is 0"):
            forecast(np.zeros((5, 3)), 0)
    for season in (0, 1.5):
        with pytest.raises(ValueError, match=f"season is {season}"):
            recurrent.seasonal_naive_forecast(np.zeros((5, 3)), 2, season)


def test_least_squares_forecast_equals_scikit_learn():
    values = np.random.default_rng(0).normal(size=120).cumsum()
    x, y = recurrent.time_windows(values, 0, 80, 6, 3)
    x_test, _ = recurrent.time_windows(values, 80, 120, 6, 3)
    reference = LinearRegression().fit(x - x[:, -1:], y - x[:, -1:])
    expected = x_test[:, -1:] + reference.predict(x_test - x_test[:, -1:])
    ours = recurrent.least_squares_forecast(x, y, x_test)
    np.testing.assert_allclose(ours, expected, atol=1e-8)


def test_a_heavy_ridge_makes_the_linear_forecast_naive():
    x, y = recurrent.time_windows(np.random.default_rng(0).normal(size=99), 0, 99, 5, 2)
    heavy = recurrent.least_squares_forecast(x, y, x, ridge=1e12)
    np.testing.assert_allclose(heavy, recurrent.naive_forecast(x, 2), atol=1e-6)


def test_least_squares_forecast_refuses_bad_input():
    x, y, new = np.ones((6, 3)), np.ones((6, 2)), np.ones((4, 3))
    with pytest.raises(ValueError, match="y_train has shape"):
        recurrent.least_squares_forecast(x, y[:, 0], new)
    for bad in ((x[:5], y, new), (x, y, new[:, :2]), (x[:0], y[:0], new)):
        with pytest.raises(ValueError, match="x_train, y_train and x have the shapes"):
            recurrent.least_squares_forecast(*bad)
    with pytest.raises(ValueError, match="x_train has NaN"):
        recurrent.least_squares_forecast(np.full((6, 3), np.nan), y, new)
    for ridge in (-1e-3, np.nan):
        with pytest.raises(ValueError, match="ridge is"):
            recurrent.least_squares_forecast(x, y, new, ridge)


def test_forecaster_says_the_last_value_if_its_output_is_zero_and_follows_shifts():
    keras.utils.set_random_seed(0)
    model = recurrent.build_forecaster(keras.layers.GRU(4), 6, 3, scale=2.0, values_a_step=2)
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    shifted = model(x + 100.0) - model(x)
    np.testing.assert_allclose(shifted, np.full((5, 3), 100.0), rtol=1e-5)
    dense = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    dense.set_weights([np.zeros_like(w) for w in dense.get_weights()])
    np.testing.assert_allclose(model(x), recurrent.naive_forecast(x, 3), rtol=1e-6)


def test_forecaster_refuses_bad_numbers():
    with pytest.raises(ValueError, match="values_a_step is 4"):
        recurrent.build_forecaster(keras.layers.GRU(4), 6, 3, scale=2.0, values_a_step=4)
    with pytest.raises(ValueError, match="scale is 0"):
        recurrent.build_forecaster(keras.layers.GRU(4), 6, 3, scale=0.0)
    with pytest.raises(ValueError, match="scale is nan"):
        recurrent.build_forecaster(keras.layers.GRU(4), 6, 3, scale=float("nan"))
    with pytest.raises(ValueError, match="values_a_step is 0"):
        recurrent.build_forecaster(keras.layers.GRU(4), 6, 3, scale=2.0, values_a_step=0)
    # Its forecast would be (B, T, horizon), against targets (B, horizon).
    with pytest.raises(ValueError, match="leave return_sequences out"):
        recurrent.build_forecaster(keras.layers.GRU(4, return_sequences=True), 6, 3, scale=2.0)


def test_pieces_are_those_that_begin_at_each_place():
    pieces = recurrent.Pieces(["Abba", "ABBA"], longest=3)
    numbers = pieces.encode(["abba"], 8)[0]
    assert numbers.shape == (8, 3)
    # ^ a b b a $: six places; only at the last two do the longer pieces not fit.
    np.testing.assert_array_equal((numbers > 0).sum(axis=1), [3, 3, 3, 3, 2, 1, 0, 0])
    assert numbers[1, 0] == numbers[4, 0]  # both "a"
    assert numbers[1, 1] != numbers[4, 1]  # "ab" and "a$"
    assert pieces.size == 1 + len({"^", "a", "b", "$", "^a", "ab", "bb", "ba", "a$"}) + 4


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.text("abč ", min_size=1, max_size=9), min_size=1, max_size=4),
    longest=st.integers(1, 4),
    least=st.integers(1, 3),
    length=st.integers(1, 12),
)
def test_pieces_equal_brute_force(texts, longest, least, length):
    marked = ["^" + text + "$" for text in texts]
    pieces = recurrent.Pieces(texts, longest, least)
    numbers = pieces.encode(texts, length)
    seen = {}
    for row, text in zip(numbers, marked, strict=True):
        first = max(0, len(text) - length)
        for place in range(length):
            for k in range(1, longest + 1):
                start = first + place
                fits = start + k <= len(text)
                piece = text[start : start + k]
                often = fits and sum(
                    m[i : i + k] == piece for m in marked for i in range(len(m) - k + 1)
                )
                number = row[place, k - 1]
                assert (number > 0) == (often >= least)
                if number:
                    assert seen.setdefault(piece, number) == number
    assert len(set(seen.values())) == len(seen)
    assert numbers.max(initial=0) < pieces.size


def test_pieces_keep_the_end_of_a_long_text_and_know_nothing_of_new_letters():
    pieces = recurrent.Pieces(["abc"], longest=2, least=1)
    np.testing.assert_array_equal(pieces.encode(["abc"], 2)[0], pieces.encode(["abc"], 5)[0, -2:])
    assert not pieces.encode(["zzz"], 5)[0, 1:4].any()
    with pytest.raises(ValueError, match="longest and least are 0 and 2"):
        recurrent.Pieces(["abc"], longest=0)


def test_pieces_refuse_a_single_text_and_no_length():
    with pytest.raises(ValueError, match="texts is the str 'abc'"):
        recurrent.Pieces("abc")
    pieces = recurrent.Pieces(["abc"])
    with pytest.raises(ValueError, match="texts is the str 'abc'"):
        pieces.encode("abc", 5)
    with pytest.raises(ValueError, match="length is 0"):
        pieces.encode(["abc"], 0)


def test_piece_embedding_is_the_sum_over_known_pieces():
    layer = recurrent.PieceEmbedding(6, 3, mask_zero=True)
    numbers = np.array([[[1, 5], [2, 0], [0, 0]]])
    vectors = layer(numbers)
    table = layer.embeddings.numpy()
    expected = [[table[1] + table[5], table[2], np.zeros(3)]]
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)
    np.testing.assert_array_equal(layer.compute_mask(numbers), [[True, True, False]])
    assert recurrent.PieceEmbedding(6, 3).compute_mask(numbers) is None
    copy = recurrent.PieceEmbedding.from_config(layer.get_config())
    assert (copy.piece_dropout, copy.mask_zero) == (layer.piece_dropout, True)


def test_piece_embedding_drops_whole_pieces():
    keras.utils.set_random_seed(0)
    layer = recurrent.PieceEmbedding(2, 8, piece_dropout=0.25, embeddings_initializer="ones")
    vectors = layer(np.ones((40, 50, 1), "int32"), training=True).numpy()
    # Each vector is there as a whole, scaled up, or not at all.
    np.testing.assert_allclose(np.unique(vectors), [0, 1 / 0.75], rtol=1e-6)
    np.testing.assert_array_equal(vectors.max(axis=2), vectors.min(axis=2))
    assert np.mean(vectors == 0) == pytest.approx(0.25, abs=0.03)


def _reader(*stack):
    keras.utils.set_random_seed(0)
    return recurrent.build_name_reader(30, 2, 8, stack, embedding=5)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_name_reader_is_blind_to_padding_and_sees_both_ends(depth):
    layers = [keras.layers.GRU(6, return_sequences=True), keras.layers.LSTM(6)]
    model = _reader(*layers[2 - depth :])
    numbers = np.random.default_rng(0).integers(1, 30, (4, 12, 2)).astype("int32")
    numbers[1:, 7:] = 0
    padded = np.pad(numbers, ((0, 0), (0, 8), (0, 0)))
    np.testing.assert_allclose(model(numbers), model(padded), atol=1e-6)
    for place in (0, 6):
        other = numbers.copy()
        other[:, place] = numbers[:, place] % 29 + 1
        assert (np.abs(model(other) - model(numbers)).max(axis=1) > 1e-5).all()


@pytest.mark.parametrize("stack", [(), (keras.layers.GRU,)], ids=["sum", "GRU"])
def test_only_a_recurrent_reader_sees_the_order(stack):
    model = _reader(*[layer(6) for layer in stack])
    numbers = np.random.default_rng(0).integers(1, 30, (4, 7, 2)).astype("int32")
    change = np.abs(model(numbers) - model(numbers[:, ::-1])).max()
    assert (change > 1e-4) == bool(stack)


def test_name_reader_refuses_a_sequence_at_the_end_and_bad_numbers():
    with pytest.raises(ValueError, match="no return_sequences there"):
        _reader(keras.layers.GRU(6, return_sequences=True))
    with pytest.raises(ValueError, match="classes is 0"):
        recurrent.build_name_reader(30, 2, 0, [])


def test_without_mask_differs_exactly_where_there_is_padding():
    model = _reader(keras.layers.LSTM(6))
    numbers = np.random.default_rng(0).integers(1, 30, (2, 6, 2)).astype("int32")
    numbers[1, 3:] = 0
    difference = np.abs(model(numbers) - recurrent.without_mask(model)(numbers)).max(axis=1)
    assert difference[0] < 1e-6
    assert difference[1] > 1e-5


def _one_step(model, x, y, loss):
    before = [w.copy() for w in model.get_weights()]
    model.compile("adam", loss=loss)
    assert np.isfinite(model.train_on_batch(x, y))
    return [np.abs(a - b).max() for a, b in zip(before, model.get_weights(), strict=True)]


def test_full_size_models_take_a_step():
    forecaster = recurrent.build_forecaster(keras.layers.LSTM(128), 672, 48, 5e3, 48)
    series = np.random.default_rng(0).normal(3e4, 5e3, (2, 720)).astype("float32")
    assert min(_one_step(forecaster, series[:, :672], series[:, 672:], "mae")) > 0
    names = recurrent.build_name_reader(12_000, 5, 8, [keras.layers.LSTM(128)])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    numbers = np.random.default_rng(0).integers(1, 100, (2, 24, 5))
    assert max(_one_step(names, numbers, np.eye(8)[[1, 5]], loss)) > 0


@pytest.fixture
def reviews(tmp_path):
    for part in ("train", "test"):
        for sentiment, word in (("pos", "splendid"), ("neg", "dreadful")):
            folder = tmp_path / part / sentiment
            folder.mkdir(parents=True)
            for i in range(5):
                (folder / f"{i}.txt").write_text(f"A {word} film, number {i}.")
        (tmp_path / part / "unsup").mkdir()
    return tmp_path


def test_reviews_are_read_and_the_full_size_classifier_takes_a_step(reviews):
    train, validation, test = recurrent.imdb_reviews(batch_size=4, folder=reviews)
    texts = [text for batch, _ in (*train, *validation) for text in batch.numpy()]
    assert len(texts) == len(set(texts)) == 10
    for batch, labels in (*train, *validation, *test):
        said_good = [b"splendid" in text for text in batch.numpy()]
        np.testing.assert_array_equal(labels, said_good)
    model = recurrent.build_review_classifier(train.map(lambda text, label: text))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    batch, labels = next(iter(train))
    assert max(_one_step(model, batch, tf.cast(labels, "float32")[:, None], loss)) > 0
    # Longer padding is what masking hides: a text alone or beside others reads the same.
    alone = model(batch[:1])
    np.testing.assert_allclose(alone, model(batch)[:1], atol=1e-6)


def test_reviews_refuse_a_folder_without_reviews(tmp_path):
    with pytest.raises(ValueError, match="train/pos"):
        recurrent.imdb_reviews(folder=tmp_path)


def test_a_failed_download_says_what_to_do(monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    with pytest.raises(RuntimeError, match="by hand"):
        recurrent.imdb_reviews()
