"""Recurrent networks: a state that is carried from step to step, and what it is good for.

Weights are in the order and shape of Keras' layers, so that both can be given the same ones.
"""

from collections import Counter
from pathlib import Path

from helpers.arguments import check_in, check_positive, check_whole_number

import keras
import numpy as np
import tensorflow as tf
from keras import ops

IMDB_ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"


def rnn_step(x, states, kernel, recurrent_kernel, bias):
    """One step of the simple recurrent network of Elman (1990), "Finding Structure in Time".

    Args:
        x: the input of this step, floats (B, F).
        states: list of one array, the last output (B, D).
        kernel, recurrent_kernel, bias: weights (F, D), (D, D) and (D,).

    Returns:
        The list of the new state: [h], h in [-1, 1].
    """
    (h,) = states
    return [ops.tanh(x @ kernel + h @ recurrent_kernel + bias)]


def lstm_step(x, states, kernel, recurrent_kernel, bias):
    """One step of the long short-term memory.

    Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000). The columns of
    the weights are those of the input gate, forget gate, candidate and output gate, in this order.

    Args:
        x: the input of this step, floats (B, F).
        states: list of the last output h and the cell's memory c, each (B, D).
        kernel, recurrent_kernel, bias: weights (F, 4D), (D, 4D) and (4D,).

    Returns:
        The list of the new states: [h, c].
    """
    h, c = states
    i, f, candidate, o = ops.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(candidate)
    return [ops.sigmoid(o) * ops.tanh(c), c]


def gru_step(x, states, kernel, recurrent_kernel, bias):
    """One step of the gated recurrent unit of Cho et al. (2014), in the form that Keras uses.

    The columns of the weights are those of the update gate z, reset gate r and candidate, in this
    order. The reset gate works on the product with the recurrent weights, not before it.

    Args:
        x: the input of this step, floats (B, F).
        states: list of one array, the last output (B, D).
        kernel, recurrent_kernel: weights (F, 3D) and (D, 3D).
        bias: (2, 3D), for the input's part and for the state's part.

    Returns:
        The list of the new state: [h].
    """
    (h,) = states
    from_x = ops.split(x @ kernel + bias[0], 3, axis=-1)
    from_h = ops.split(h @ recurrent_kernel + bias[1], 3, axis=-1)
    z, r = (ops.sigmoid(a + b) for a, b in zip(from_x[:2], from_h[:2], strict=True))
    return [z * h + (1 - z) * ops.tanh(from_x[2] + r * from_h[2])]


def unroll(step, inputs, states, weights, mask=None):
    """Applies one step with the same weights to every place of a sequence.

    A masked place is passed over: the states stay as they were, and so does the output.

    Args:
        step: `rnn_step`, `lstm_step`, `gru_step` or a function like them.
        inputs: floats (B, T, F).
        states: list of the first states, each (B, D).
        weights: list of the step's weights.
        mask: booleans (B, T), True where there is something to read; None for everywhere.

    Returns:
        The outputs (B, T, D) and the list of the last states.

    Raises:
        ValueError: if the shapes of inputs, states or mask are others, or the mask is not boolean.
    """
    inputs = ops.convert_to_tensor(inputs)
    _check_rank("inputs", inputs, 3, "(B, T, F), T at least 1", least=1)
    for state in states:
        if len(state.shape) != 2 or state.shape[0] != inputs.shape[0]:
            raise ValueError(
                f"states has an array of shape {tuple(state.shape)}; each must be "
                f"({inputs.shape[0]}, D), a row for each of the inputs"
            )
    if mask is not None:
        mask = _checked_mask(mask, inputs.shape[:2])
    outputs = []
    for t in range(inputs.shape[1]):
        new = step(inputs[:, t], states, *weights)
        if mask is not None:
            new = [ops.where(mask[:, t, None], n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return ops.stack(outputs, axis=1), states


def gradient_reach(step, inputs, states, weights):
    """How strongly the last output depends on the input of each step.

    Args:
        step, inputs, states, weights: as for `unroll`.

    Returns:
        Array (T,): the Frobenius norm of ∂h_T/∂x_t, the mean over the batch.

    Raises:
        ValueError: as `unroll`.
    """
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs, _ = unroll(step, inputs, states, weights)
        units = tf.unstack(outputs[:, -1], axis=-1)
    # One gradient a unit: faster for a long eager loop than `tape.batch_jacobian`.
    squares = sum(tape.gradient(unit, inputs).numpy() ** 2 for unit in units)
    return np.sqrt(squares.sum(axis=2)).mean(axis=0)


class GradientNormModel(keras.Model):
    """A model that reports the length of its gradient at each step, before any clipping."""

    def train_step(self, batch):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss, "gradient_norm": tf.linalg.global_norm(gradients)}


def time_windows(values, start, stop, inputs, horizon):
    """Cuts windows from a series whose targets all lie in one stretch of it.

    The inputs may reach back before `start`, as they do when a forecast is made: the past is
    known. No target lies at or after `stop`.

    Args:
        values: the series (T,).
        start, stop: the stretch, places in the series, `stop` not included.
        inputs: how many values a forecast sees.
        horizon: how many values it has to say.

    Returns:
        Inputs (N, inputs) and targets (N, horizon), one row for every place.

    Raises:
        ValueError: if a number is out of range or not a single window fits.
    """
    values = np.asarray(values)
    _check_rank("values", values, 1, "(T,)")
    check_positive(inputs=inputs, horizon=horizon)
    check_whole_number("start", start, 0)
    check_whole_number("stop", stop, 0)
    if not 0 <= start < stop <= len(values):
        raise ValueError(
            f"start and stop are {start} and {stop}; they must rise within 0 and {len(values)}"
        )
    first, last = max(start, inputs), stop - horizon
    if first > last:
        raise ValueError(
            f"no window of {inputs} inputs and {horizon} targets fits before place {stop} with "
            f"its targets from {start} on"
        )
    both = np.lib.stride_tricks.sliding_window_view(values, inputs + horizon)
    both = both[first - inputs : last - inputs + 1].copy()
    return both[:, :inputs], both[:, inputs:]


def naive_forecast(x, horizon):
    """Says that everything stays as it is.

    Args:
        x: the windows' inputs (N, inputs).
        horizon: how many values to say.

    Returns:
        Forecasts (N, horizon).

    Raises:
        ValueError: if x has another shape or the horizon is not a whole number of at least 1.
    """
    return np.repeat(_checked_windows(x, horizon)[:, -1:], horizon, axis=1)


def seasonal_naive_forecast(x, horizon, season):
    """Says that everything is as it was one season ago.

    Args:
        x: the windows' inputs (N, inputs).
        horizon: how many values to say.
        season: the length of the season in values, at most `inputs`.

    Returns:
        Forecasts (N, horizon); beyond one season the last season repeats.

    Raises:
        ValueError: if the season does not fit into the inputs, x has another shape, or a number
            is not whole.
    """
    x = _checked_windows(x, horizon)
    check_positive(season=season)
    if season > x.shape[1]:
        raise ValueError(f"season is {season}; it must be between 1 and the {x.shape[1]} inputs")
    return x[:, -season:][:, np.arange(horizon) % season]


def least_squares_forecast(x_train, y_train, x, ridge=0.0):
    """Forecasts with the best linear function of the inputs: an autoregression.

    Inputs and targets are taken relative to the last value seen, as a network gets them.

    Args:
        x_train, y_train: windows (N, inputs) and (N, horizon) from the past.
        x: inputs to forecast from (M, inputs).
        ridge: penalty on the squared weights, in units of the mean square of the inputs; a little
            of it helps where there are hardly more windows than weights.

    Returns:
        Forecasts (M, horizon).

    Raises:
        ValueError: if the shapes do not go together, a number is missing (NaN) or infinite, or the
            ridge is negative.
    """
    inputs, targets = (np.asarray(a, "float64") for a in (x_train, y_train))
    _check_training(inputs, targets, np.asarray(x), ridge)
    last = inputs[:, -1:]
    design, new = _relative_with_constant(inputs), _relative_with_constant(x)
    # Ridge regression is least squares with a few more rows, whose targets are 0.
    pull = np.sqrt(ridge * len(design) * np.mean(design**2)) * np.eye(design.shape[1])
    weights = np.linalg.lstsq(
        np.vstack([design, pull]),
        np.vstack([targets - last, np.zeros((len(pull), targets.shape[1]))]),
        rcond=None,
    )[0]
    return np.asarray(x)[:, -1:] + new @ weights


def build_forecaster(layer, inputs, horizon, scale, values_a_step=1):
    """A recurrent network that says how the next values differ from the last one seen.

    The shift and the division are inside the model, so that no caller can forget them.

    Args:
        layer: a recurrent Keras layer that returns its last output.
        inputs: how many values a window has.
        horizon: how many values to forecast.
        scale: what to divide by, computed from the past only.
        values_a_step: how many values the network reads at once; it must divide `inputs`.

    Returns:
        A `keras.Model` from (B, inputs) to (B, horizon), both in the units of the series.

    Raises:
        ValueError: if `values_a_step` does not divide `inputs`, the scale is not positive, a number
            is out of range, or the layer returns a sequence.
    """
    check_positive(inputs=inputs, horizon=horizon, values_a_step=values_a_step)
    if inputs % values_a_step:
        raise ValueError(f"values_a_step is {values_a_step}; it must divide the {inputs} inputs")
    check_in("(0, ∞)", scale=scale)
    window = keras.Input((inputs,))
    last = window[:, -1:]
    steps = keras.layers.Reshape((inputs // values_a_step, values_a_step))((window - last) / scale)
    state = layer(steps)
    _check_rank("the output of layer", state, 2, "(B, D): leave return_sequences out")
    change = keras.layers.Dense(horizon)(state)
    return keras.Model(window, last + scale * change)


class Pieces:
    """Numbers for the pieces of a text: the 1, 2, … letters that begin at each of its places.

    Texts are read in lower case, between "^" and "$". Pieces that are rare in `texts` get no
    number: a network would learn them by heart.

    Args:
        texts: the texts whose pieces get a number, an iterable of str.
        longest: letters of the longest piece.
        least: how often a piece must occur.

    Attributes:
        size: how many numbers there are, with 0, which stands for no known piece.

    Raises:
        ValueError: if longest or least is below 1, or texts is a single str.
    """

    def __init__(self, texts, longest=4, least=2):
        if longest < 1 or least < 1:
            raise ValueError(f"longest and least are {longest} and {least}; each must be above 0")
        _check_texts(texts)
        self.longest = longest
        found = Counter(p for text in texts for place in self._cut(text) for p in place if p)
        kept = sorted(piece for piece, count in found.items() if count >= least)
        self._numbers = {piece: i for i, piece in enumerate(kept, start=1)}
        self.size = len(kept) + 1

    def encode(self, texts, length):
        """The numbers of the pieces at each of the last `length` places of each text.

        Args:
            texts: list of N str.
            length: places that are kept; a longer text loses its beginning.

        Returns:
            int32 (N, length, longest), padded at the end with 0: the piece of k letters that
            begins at a place stands in column k - 1.

        Raises:
            ValueError: if texts is a single str, or length is not a whole number of at least 1.
        """
        _check_texts(texts)
        check_positive(length=length)
        numbers = np.zeros((len(texts), length, self.longest), "int32")
        for row, text in zip(numbers, texts, strict=True):
            for place, pieces in zip(row, self._cut(text)[-length:], strict=False):
                place[:] = [self._numbers.get(piece, 0) for piece in pieces]
        return numbers

    def _cut(self, text):
        marked = f"^{text.lower()}$"
        # A piece that would reach beyond the end is left out.
        return [
            [marked[i : i + k] if i + k <= len(marked) else "" for k in range(1, self.longest + 1)]
            for i in range(len(marked))
        ]


class PieceEmbedding(keras.layers.Embedding):
    """At each place the sum of the vectors of its pieces, as in fastText (Bojanowski et al., 2017).

    It takes whole numbers (B, T, pieces), 0 for no piece, and gives vectors (B, T, output_dim). No
    piece adds nothing. In training whole pieces are dropped, so that the network cannot rest on a
    single one.

    Args:
        input_dim, output_dim, mask_zero: as for `keras.layers.Embedding`.
        piece_dropout: share of the pieces that is dropped in training.
    """

    def __init__(self, input_dim, output_dim, piece_dropout=0.5, **options):
        super().__init__(input_dim, output_dim, **options)
        self.piece_dropout = piece_dropout
        self.drop = keras.layers.Dropout(piece_dropout, noise_shape=(None, None, None, 1))

    def call(self, pieces, training=None):
        known = ops.cast(pieces > 0, self.compute_dtype)[..., None]
        return ops.sum(self.drop(super().call(pieces) * known, training=training), axis=2)

    def compute_mask(self, pieces, mask=None):
        return ops.any(pieces > 0, axis=-1) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.output_dim)

    def get_config(self):
        return super().get_config() | {"piece_dropout": self.piece_dropout}


def build_name_reader(
    vocabulary, pieces, classes, stack, embedding=64, dropout=0.5, piece_dropout=0.6
):
    """Recurrent layers over the places of a name, each in both directions.

    Schuster and Paliwal (1997), "Bidirectional Recurrent Neural Networks". The embedding tells
    every later layer which places are padding.

    Args:
        vocabulary: how many numbers a piece can have; 0 is padding.
        pieces: pieces at a place.
        classes: number of classes.
        stack: recurrent Keras layers, of which all but the last return sequences. Without any, the
            vectors of all places are added up, and their order is lost.
        embedding: numbers for a piece.
        dropout: share of the outputs of each layer that is dropped in training.
        piece_dropout: share of the pieces that is dropped in training.

    Returns:
        A `keras.Model` from whole numbers (B, T, pieces), any T, to logits (B, classes).

    Raises:
        ValueError: if a number is out of range, or the last layer returns a sequence.
    """
    check_positive(vocabulary=vocabulary, pieces=pieces, classes=classes, embedding=embedding)
    layers = keras.layers
    numbers = keras.Input((None, pieces), dtype="int32")
    small = keras.initializers.RandomNormal(stddev=0.1)
    embed = PieceEmbedding(
        vocabulary, embedding, piece_dropout, embeddings_initializer=small, mask_zero=True
    )
    x = embed(numbers)
    for layer in stack:
        x = layers.Dropout(dropout)(layers.Bidirectional(layer)(x))
    if not stack:
        # A quarter of the sum: about as large as what a recurrent layer gives.
        x = layers.Dropout(dropout)(ops.sum(x, axis=1) / 4)
    _check_rank("the output of the last layer of stack", x, 2, "(B, D): no return_sequences there")
    return keras.Model(numbers, layers.Dense(classes)(x))


def without_mask(model):
    """Copies a chain of layers, weights included, so that no embedding says what is padding.

    The lesson uses it to measure what the mask is worth.

    Args:
        model: a `keras.Model` in which each layer reads the one before it.

    Returns:
        A `keras.Sequential` of the same shapes.
    """
    first, *layers = model.layers
    unmasked = keras.Sequential([keras.Input(first.batch_shape[1:], dtype=first.dtype)])
    for layer in layers:
        change = {"mask_zero": False} if isinstance(layer, keras.layers.Embedding) else {}
        unmasked.add(type(layer).from_config(layer.get_config() | change))
    unmasked.set_weights(model.get_weights())
    return unmasked


def imdb_reviews(batch_size=64, seed=0, folder=None):
    """50,000 film reviews, half of them good and half bad (Maas et al., 2011).

    Args:
        batch_size: reviews in a batch.
        seed: whole number that selects the fifth of the training part that is for validation.
        folder: the unpacked `aclImdb`; None downloads 84 MB, once.

    Returns:
        Three `tf.data.Dataset` of texts (B,) and labels (B,), 1 for good: train, validation, test.

    Raises:
        ValueError: if the folder does not hold the reviews.
        RuntimeError: if the download fails.
    """
    folder = Path(_download_imdb() if folder is None else folder)
    for part in ("train", "test"):
        if not (folder / part / "pos").is_dir():
            raise ValueError(f"folder is {folder}; it must hold {part}/pos and {part}/neg")
    options = {"batch_size": batch_size, "class_names": ["neg", "pos"], "verbose": False}
    train, validation = keras.utils.text_dataset_from_directory(
        folder / "train", validation_split=0.2, subset="both", seed=seed, **options
    )
    test = keras.utils.text_dataset_from_directory(folder / "test", shuffle=False, **options)
    return train, validation, test


def build_review_classifier(texts, words=20_000, length=250, units=64):
    """Reads texts from the raw string on: `TextVectorization` stands inside the model.

    Args:
        texts: a `tf.data.Dataset` of texts, of the training part only; the words come from it.
        words: size of the vocabulary.
        length: words of a text that are read.
        units: width of the word vectors and of each direction.

    Returns:
        A `keras.Model` from texts (B,) to a logit (B, 1), above 0 for good.

    Raises:
        ValueError: if a number is not whole or below 1.
    """
    check_positive(words=words, length=length, units=units)
    layers = keras.layers
    vectorize = layers.TextVectorization(words, output_sequence_length=length)
    vectorize.adapt(texts)
    text = keras.Input((), dtype="string")
    x = layers.Embedding(words, units, mask_zero=True)(vectorize(text))
    x = layers.Dropout(0.5)(layers.Bidirectional(layers.LSTM(units))(x))
    return keras.Model(text, layers.Dense(1)(x))


def _download_imdb():
    try:
        archive = keras.utils.get_file("aclImdb", IMDB_ADDRESS, extract=True)
    except Exception as error:
        raise RuntimeError(
            f"could not download {IMDB_ADDRESS} ({error}); unpack it by hand and pass the path of "
            f"aclImdb as folder"
        ) from error
    # Keras 3 unpacks into a folder of its own and returns that folder.
    return next(Path(archive).parent.rglob("aclImdb/train")).parent


def _relative_with_constant(x):
    x = np.asarray(x, "float64")
    return np.hstack([x[:, :-1] - x[:, -1:], np.ones((len(x), 1))])


def _checked_mask(mask, shape):
    mask = ops.convert_to_tensor(mask)
    if keras.backend.standardize_dtype(mask.dtype) != "bool" or tuple(mask.shape) != tuple(shape):
        raise ValueError(
            f"mask is {keras.backend.standardize_dtype(mask.dtype)} of shape {tuple(mask.shape)}; "
            f"it must be boolean of shape {tuple(shape)}"
        )
    return mask


def _checked_windows(x, horizon):
    x = np.asarray(x)
    _check_rank("x", x, 2, "(N, inputs), inputs at least 1", least=1)
    check_positive(horizon=horizon)
    return x


def _check_training(inputs, targets, x, ridge):
    for name, array in {"x_train": inputs, "y_train": targets, "x": x}.items():
        _check_rank(name, array, 2, "(N, values), values at least 1", least=1)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has NaN or infinity in it; it must hold numbers alone")
    if len(inputs) == 0 or len(inputs) != len(targets) or inputs.shape[1] != x.shape[1]:
        raise ValueError(
            f"x_train, y_train and x have the shapes {inputs.shape}, {targets.shape} and {x.shape};"
            f" they must be (N, inputs), (N, horizon) and (M, inputs), N at least 1"
        )
    check_in("[0, ∞)", ridge=ridge)


def _check_texts(texts):
    if isinstance(texts, str):
        raise ValueError(f"texts is the str {texts!r}; it must be a list of str")


def _check_rank(name, array, rank, wanted, least=None):
    few = least is not None and len(array.shape) == rank and array.shape[1] < least
    if len(array.shape) != rank or few:
        raise ValueError(f"{name} has shape {tuple(array.shape)}; it must be {wanted}")
