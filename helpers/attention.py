"""Attention: a network decides for itself where to look.

Every mask is boolean, and True means "may attend".
"""

from typing import NamedTuple

from helpers.arguments import check_positive, differ

import keras
import numpy as np
import tensorflow as tf
from keras import ops

#: The id that stands before the first character of an answer; as a source id it is padding.
START = PADDING = 0


def scaled_dot_product_attention(query, key, value, mask=None):
    """Gives each query an average of the values, weighted by how well the keys match it.

    softmax(Q Kᵀ / √d) V: equation 1 of Vaswani et al. (2017), "Attention Is All You Need". Half
    precision is worked in float32 and rounded once, at the end.

    Args:
        query: floats (..., Tq, d).
        key: floats (..., Tk, d).
        value: floats (..., Tk, Dv).
        mask: booleans that broadcast to (..., Tq, Tk), True where a query may attend; None for
            everywhere.

    Returns:
        The output (..., Tq, Dv) and the weights (..., Tq, Tk), in the type of the query. The
        weights of a query sum to 1; a query that may attend to nothing has zeros in both.

    Raises:
        ValueError: if the three are not floats or the mask is not boolean, or if the shapes do not
            fit together. Leading axes may broadcast.
    """
    query, key, value = (ops.convert_to_tensor(each) for each in (query, key, value))
    _check_query_key_value(query, key, value)
    dtype, precise = query.dtype, _at_least_float32(query)
    query, key, value = (ops.cast(each, precise) for each in (query, key, value))
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) / query.shape[-1] ** 0.5
    weights = masked_softmax(scores, mask)
    return ops.cast(ops.matmul(weights, value), dtype), ops.cast(weights, dtype)


def masked_softmax(scores, mask=None):
    """Softmax over the last axis, among the places where `mask` is True.

    Args:
        scores: floats (..., T).
        mask: booleans that broadcast to the shape of `scores`; None for True everywhere.

    Returns:
        Weights like `scores`. They sum to 1 over the last axis and are 0 where the mask is
        False, also if it is False everywhere.

    Raises:
        ValueError: if the scores are not floats with at least one axis, or if the mask is not
            boolean or does not broadcast to them.
    """
    scores = ops.convert_to_tensor(scores)
    _check_floats("scores", scores, 1)
    precise = ops.cast(scores, _at_least_float32(scores))
    # TensorFlow's own softmax: that of Keras warns where there is a single place to attend to.
    if mask is None:
        return ops.cast(tf.nn.softmax(precise), scores.dtype)
    mask = ops.convert_to_tensor(mask)
    _check_mask(mask, scores)
    # Not -inf: a row that is masked everywhere would give inf - inf, which is NaN.
    weights = tf.nn.softmax(ops.where(mask, precise, -1e30))
    return ops.cast(ops.where(mask, weights, 0.0), scores.dtype)


@keras.saving.register_keras_serializable("attention")
class AdditiveAttention(keras.layers.Layer):
    """Scores each place with a small network that sees query and value together.

    score(q, h) = vᵀ tanh(W q + U h): Bahdanau et al. (2015), "Neural Machine Translation by
    Jointly Learning to Align and Translate", appendix A.1.2.

    Args:
        units: width of the small network.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_positive(units=units)
        self.units = units
        self.supports_masking = True
        shared = {"use_bias": False, "dtype": self.dtype_policy}
        self.project_query = keras.layers.Dense(units, name="query", **shared)
        self.project_key = keras.layers.Dense(units, name="key", **shared)
        self.score = keras.layers.Dense(1, name="score", **shared)

    def build(self, query_shape, values_shape):
        self.project_query.build(query_shape)
        self.project_key.build(values_shape)
        self.score.build((*values_shape[:-1], self.units))

    def call(self, query, values, mask=None, values_mask=None):
        """Reads the values for one query.

        Args:
            query: floats (B, Dq).
            values: floats (B, T, Dv).
            mask: booleans that broadcast to (B, T), True where the query may attend.
            values_mask: given by Keras if the values carry a mask; both must allow a place.

        Returns:
            The context (B, Dv) and the weights (B, T).

        Raises:
            ValueError: if the shapes do not fit together or the mask is not boolean.
        """
        mask = _both(mask, values_mask)
        return self.attend(query, self.project_key(values), values, mask)

    def attend(self, query, keys, values, mask=None):
        """Does the work of `call` with the keys (B, T, units), projected once for many queries."""
        _check_one_query(query, keys, values)
        matches = ops.tanh(ops.expand_dims(self.project_query(query), 1) + keys)
        weights = masked_softmax(ops.squeeze(self.score(matches), -1), mask)
        context = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), values), 1)
        return context, weights

    def compute_mask(self, query, previous_mask=None):
        return None  # a context has no time axis that a mask could speak of

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("attention")
class MultiHeadAttention(keras.layers.Layer):
    """Several attentions side by side, each with its own projections of the input.

    Section 3.2.2 of Vaswani et al. (2017). A head works with d_model / num_heads features.

    Args:
        num_heads: number of heads.
        d_model: width of the projections and of the output, a multiple of `num_heads`.
    """

    def __init__(self, num_heads, d_model, **kwargs):
        super().__init__(**kwargs)
        check_positive(num_heads=num_heads, d_model=d_model)
        if d_model % num_heads:
            raise ValueError(
                f"d_model is {d_model}; it must be a multiple of num_heads {num_heads}"
            )
        self.num_heads = num_heads
        self.d_model = d_model
        self.supports_masking = True
        self.query_projection = keras.layers.Dense(d_model, dtype=self.dtype_policy)
        self.key_projection = keras.layers.Dense(d_model, dtype=self.dtype_policy)
        self.value_projection = keras.layers.Dense(d_model, dtype=self.dtype_policy)
        self.output_projection = keras.layers.Dense(d_model, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        self.query_projection.build(query_shape)
        self.key_projection.build(value_shape if key_shape is None else key_shape)
        self.value_projection.build(value_shape)
        self.output_projection.build((*query_shape[:-1], self.d_model))

    def call(self, query, value, key=None, mask=None, return_weights=False, value_mask=None):
        """Lets every query read the values.

        Args:
            query: floats (B, Tq, Dq).
            value: floats (B, Tk, Dv).
            key: floats (B, Tk, Dk); the values if None.
            mask: booleans that broadcast to (B, Tq, Tk), the same for all heads, or to
                (B, num_heads, Tq, Tk); True where a query may attend.
            return_weights: whether to return the weights (B, num_heads, Tq, Tk) as well.
            value_mask: given by Keras if the values carry a mask; both must allow a place.

        Returns:
            The output (B, Tq, d_model). A query that may attend to nothing gets the bias of the
            last projection.

        Raises:
            ValueError: if the shapes do not fit together or the mask is not boolean.
        """
        mask = _for_all_heads(mask, value_mask)
        keys, values = self.project_memory(value, key)
        output, weights = self.attend(self.project_query(query), keys, values, mask)
        return (output, weights) if return_weights else output

    def project_query(self, query):
        """Turns (B, Tq, Dq) into the heads' queries (B, num_heads, Tq, d)."""
        return split_heads(self.query_projection(query), self.num_heads)

    def project_memory(self, value, key=None):
        """Turns (B, Tk, Dv) into the heads' keys and values, both (B, num_heads, Tk, d)."""
        keys = self.key_projection(value if key is None else key)
        values = self.value_projection(value)
        return split_heads(keys, self.num_heads), split_heads(values, self.num_heads)

    def attend(self, queries, keys, values, mask=None):
        """Does the work of `call` with what the projections gave, which can so be kept.

        Args:
            queries, keys, values: floats (B, num_heads, T, d).
            mask: booleans that broadcast to (B, num_heads, Tq, Tk).

        Returns:
            The output (B, Tq, d_model) and the weights (B, num_heads, Tq, Tk).
        """
        heads, weights = scaled_dot_product_attention(queries, keys, values, mask)
        return self.output_projection(merge_heads(heads)), weights

    def compute_mask(self, query, previous_mask=None):
        # The output stands at the query's places, so the query's mask is the one to hand on.
        return getattr(query, "_keras_mask", None)

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "d_model": self.d_model}


def split_heads(x, num_heads):
    """Cuts the features into heads: (B, T, D) becomes (B, num_heads, T, D / num_heads).

    Raises:
        ValueError: if `x` has not three axes, or D is no multiple of `num_heads`, a whole number of
            at least 1.
    """
    check_positive(num_heads=num_heads)
    x = ops.convert_to_tensor(x)
    if len(x.shape) != 3 or x.shape[-1] % num_heads:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; it must be (B, T, D), D a multiple of {num_heads}"
        )
    batch, length, features = ops.shape(x)
    x = ops.reshape(x, (batch, length, num_heads, features // num_heads))
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x):
    """Joins the heads again: (B, num_heads, T, d) becomes (B, T, num_heads · d).

    Raises:
        ValueError: if `x` has not four axes.
    """
    x = ops.convert_to_tensor(x)
    if len(x.shape) != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (B, num_heads, T, d)")
    batch, num_heads, length, features = ops.shape(x)
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (batch, length, num_heads * features))


def entropy(weights):
    """How widely attention is spread: −Σ w log w over the last axis, in nats.

    Args:
        weights: (..., T), not negative, with sum 1 over the last axis; or all 0, as of a query that
            may attend to nothing.

    Returns:
        Array (...), from 0 (all on one place, or nowhere) to log T (the same everywhere).

    Raises:
        ValueError: if the weights have no axis, are negative or NaN, or sum to something else.
    """
    weights = np.asarray(weights, "float64")
    if weights.ndim == 0 or not (weights >= 0).all():
        raise ValueError(
            f"weights has shape {weights.shape} and smallest value {np.min(weights, initial=0)}; "
            "it must be (..., T) and not negative"
        )
    sums = weights.sum(-1)
    # Half precision rounds each weight, so that their sum misses 1 by up to about a hundredth.
    off = (np.abs(sums - 1) > 0.02) & (sums != 0)
    if off.any():
        raise ValueError(f"weights sums to {sums[off][0]:.4g} over the last axis; it must be 1")
    logarithms = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return -(weights * logarithms).sum(-1)


class Memory(NamedTuple):
    """What the decoder may read: one row for each character of the source.

    Attributes:
        values: the encoder's states (B, T, units).
        keys: the values as the attention projects them (B, T, ...); None without attention.
        mask: booleans (B, T), True at characters and False at padding.
        summary: what the encoder knows at its end (B, units).
    """

    values: tf.Tensor
    keys: tf.Tensor | None
    mask: tf.Tensor
    summary: tf.Tensor


@keras.saving.register_keras_serializable("attention")
class SequenceToSequence(keras.Model):
    """Reads characters with a bidirectional GRU and writes characters with another GRU.

    The model of Bahdanau et al. (2015) at a small size. Its inputs are the source ids (B, T) and
    the ids before each target (see `previous_ids`); its outputs are logits (B, length, ids).

    Args:
        source_size, target_size: how many different ids the source and the target have.
        length: how many characters an answer has.
        attention: a layer with the methods of `AdditiveAttention`, asked anew before each
            character. None gives the model of Cho et al. (2014), "Learning Phrase
            Representations using RNN Encoder-Decoder": the decoder sees the encoder's summary,
            the same before each character.
        units: width of the decoder's state; the encoder has half of it for each direction.
        embedding: width of the characters' embeddings.
    """

    def __init__(
        self, source_size, target_size, length, attention=None, units=96, embedding=32, **kwargs
    ):
        super().__init__(**kwargs)
        sizes = {"source_size": source_size, "target_size": target_size, "length": length}
        self.sizes = {**sizes, "units": units, "embedding": embedding}
        check_positive(**self.sizes)
        if units % 2:
            raise ValueError(f"units is {units}; it must be even, half for each direction")
        self.source_embedding = keras.layers.Embedding(source_size, embedding)
        self.encoder = keras.layers.Bidirectional(
            keras.layers.GRU(units // 2, return_sequences=True, return_state=True)
        )
        self.summarise = keras.layers.Dense(units, activation="tanh")
        self.attention = attention
        self.target_embedding = keras.layers.Embedding(target_size, embedding)
        self.cell = keras.layers.GRUCell(units)
        self.logits = keras.layers.Dense(target_size)

    def build(self, input_shape):
        sources, _ = input_shape
        units, embedding = self.sizes["units"], self.sizes["embedding"]
        self.source_embedding.build(sources)
        self.encoder.build((*sources, embedding))
        self.summarise.build((None, units))
        if self.attention is not None and not self.attention.built:
            self.attention.build((None, units), (*sources, units))
        self.target_embedding.build((None,))
        self.cell.build((None, embedding + units))
        self.logits.build((None, units))

    def encode(self, sources):
        """Reads the sources (B, T), padded with 0.

        Returns:
            The `Memory` of them.
        """
        mask = ops.not_equal(sources, PADDING)
        values, forward, backward = self.encoder(self.source_embedding(sources), mask=mask)
        keys = None if self.attention is None else self.attention.project_key(values)
        return Memory(values, keys, mask, self.summarise(ops.concatenate([forward, backward], -1)))

    def step(self, character, state, memory):
        """Looks, then moves on by one character.

        Args:
            character: embedding (B, embedding) of the character written last.
            state: the decoder's state (B, units).
            memory: what `encode` returned.

        Returns:
            The next state (B, units) and the weights (B, T) of the look, None without attention.
        """
        context, weights = memory.summary, None
        if self.attention is not None:
            context, weights = self.attention.attend(state, memory.keys, memory.values, memory.mask)
        state, _ = self.cell(ops.concatenate([character, context], -1), [state])
        return state, weights

    def call(self, inputs):
        sources, previous = inputs
        _check_previous(previous, self.sizes["length"])
        memory = self.encode(sources)
        characters = self.target_embedding(previous)
        state, states = memory.summary, []
        for i in range(self.sizes["length"]):
            state, _ = self.step(characters[:, i], state, memory)
            states.append(state)
        return self.logits(ops.stack(states, 1))

    # One signature for all batches and lengths, so that one graph serves them.
    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)])
    def write(self, sources):
        """Writes an answer to each source; each character follows from those written before.

        Args:
            sources: whole numbers (B, T), padded with 0.

        Returns:
            The ids (B, length) and the weights (B, length, T), None without attention.
        """
        memory = self.encode(sources)
        state, ids, looks = memory.summary, [ops.full_like(sources[:, 0], START)], []
        for _ in range(self.sizes["length"]):
            state, weights = self.step(self.target_embedding(ids[-1]), state, memory)
            looks.append(weights)
            ids.append(ops.argmax(self.logits(state), -1))
        return ops.stack(ids[1:], 1), None if self.attention is None else ops.stack(looks, 1)

    def get_config(self):
        attention = keras.saving.serialize_keras_object(self.attention)
        return {**super().get_config(), **self.sizes, "attention": attention}

    @classmethod
    def from_config(cls, config):
        attention = keras.saving.deserialize_keras_object(config["attention"])
        return cls(**{**config, "attention": attention})


def exact_match(model, sources, targets):
    """Share of the sources whose written answer is right to the last character.

    Args:
        model: a `SequenceToSequence`.
        sources: ids (n, T).
        targets: ids (n, length).

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: if there is no source, or if `targets` has not the shape of the answers.
    """
    if len(sources) == 0:
        raise ValueError("sources is empty; it must hold at least one text")
    written = np.asarray(model.write(sources)[0])
    if np.shape(targets) != written.shape:
        raise ValueError(f"targets has shape {np.shape(targets)}; it must be {written.shape}")
    return float(np.mean(np.all(written == targets, axis=1)))


class ExactMatch(keras.callbacks.Callback):
    """Records `exact_match` after each epoch in the list `scores`.

    Args:
        sources, targets: ids of texts that are not in the training set.
    """

    def __init__(self, sources, targets):
        super().__init__()
        self.sources, self.targets, self.scores = sources, targets, []

    def on_epoch_end(self, epoch, logs=None):
        self.scores.append(exact_match(self.model, self.sources, self.targets))


def previous_ids(targets):
    """What the decoder is shown in training: the ids before each target, `START` at first.

    Args:
        targets: whole numbers (n, length).

    Returns:
        Array (n, length): `START`, then all but the last of each row.

    Raises:
        ValueError: if the targets have not two axes, or rows without a character.
    """
    targets = np.asarray(targets)
    if targets.ndim != 2 or targets.shape[1] == 0:
        raise ValueError(
            f"targets has shape {targets.shape}; it must be (n, length), length at least 1"
        )
    return np.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=START)


def _both(mask, other):
    if mask is None or other is None:
        return other if mask is None else mask
    return ops.logical_and(mask, other)


def _for_all_heads(mask, value_mask):
    if mask is not None:
        mask = ops.convert_to_tensor(mask)
        mask = ops.expand_dims(mask, 1) if len(mask.shape) == 3 else mask
    return _both(mask, None if value_mask is None else value_mask[:, None, None, :])


def _at_least_float32(x):
    return keras.backend.result_type(x.dtype, "float32")


def _check_query_key_value(query, key, value):
    for name, each in (("query", query), ("key", key), ("value", value)):
        _check_floats(name, each, 2)
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"key has {key.shape[-1]} features; it must have as many as query, {query.shape[-1]}"
        )
    if differ(key.shape[-2], value.shape[-2]):
        raise ValueError(
            f"value has length {value.shape[-2]}; it must have that of key, {key.shape[-2]}"
        )
    for name, each in (("key", key), ("value", value)):
        axes = zip(reversed(each.shape[:-2]), reversed(query.shape[:-2]), strict=False)
        if any(1 not in pair and differ(*pair) for pair in axes):
            raise ValueError(
                f"{name} has shape {tuple(each.shape)}; its leading axes must fit those of query, "
                f"{tuple(query.shape)}"
            )


def _check_floats(name, x, axes):
    if not keras.backend.is_float_dtype(x.dtype) or len(x.shape) < axes:
        needs = "one axis" if axes == 1 else "two axes, time and features"
        raise ValueError(
            f"{name} has type {keras.backend.standardize_dtype(x.dtype)} and shape "
            f"{tuple(x.shape)}; it must be floats of at least {needs}"
        )


def _check_one_query(query, keys, values):
    """Without it, axes that do not belong together would broadcast, and no one would notice."""
    if len(query.shape) != 2:
        raise ValueError(f"query has shape {tuple(query.shape)}; it must be (B, Dq)")
    for name, each in (("keys", keys), ("values", values)):
        if len(each.shape) != 3 or differ(each.shape[0], query.shape[0]):
            raise ValueError(
                f"{name} has shape {tuple(each.shape)}; it must be (B, T, features) with the "
                f"query's B, {query.shape[0]}"
            )
    if differ(keys.shape[1], values.shape[1]):
        raise ValueError(
            f"values has length {values.shape[1]}; it must have that of keys, {keys.shape[1]}"
        )


def _check_previous(previous, length):
    if len(previous.shape) != 2 or differ(previous.shape[1], length):
        raise ValueError(
            f"previous has shape {tuple(previous.shape)}; it must be (B, {length}), as "
            "previous_ids gives it"
        )


def _check_mask(mask, scores):
    if keras.backend.standardize_dtype(mask.dtype) != "bool":
        raise ValueError(
            f"mask has type {keras.backend.standardize_dtype(mask.dtype)}; it must be bool, True "
            "where a query may attend"
        )
    pairs = zip(reversed(mask.shape), reversed(scores.shape), strict=False)
    if len(mask.shape) > len(scores.shape) or any(m != 1 and differ(m, s) for m, s in pairs):
        raise ValueError(
            f"mask has shape {tuple(mask.shape)}; it must broadcast to {tuple(scores.shape)}"
        )
