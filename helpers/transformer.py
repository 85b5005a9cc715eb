"""The Transformer: attention, positions and nothing recurrent.

Vaswani et al. (2017), "Attention Is All You Need". Every mask is boolean, and True means "may
attend"; the id 0 is padding, and stands before the first character of a text.
"""

import collections

from helpers.arguments import check_choice, check_in, check_positive, check_whole_number, differ
from helpers.attention import PADDING, MultiHeadAttention

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from scipy.special import log_softmax


def sinusoidal_encoding(length, d_model):
    """Gives each place its own vector: sines and cosines of falling frequency.

    PE(t, 2i) = sin(t / 10000^(2i / D)) and PE(t, 2i + 1) = cos(t / 10000^(2i / D)), section 3.5.

    Args:
        length: number of places T, at least 1.
        d_model: width D, an even number.

    Returns:
        float32 (T, D), in [-1, 1].

    Raises:
        ValueError: if `length` is below 1 or `d_model` is not an even number above 0.
    """
    check_positive(length=length, d_model=d_model)
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}; it must be even: sines and cosines come in pairs")
    places = np.arange(length)[:, None]
    angles = places / 10_000 ** (np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, d_model).astype("f4")


def causal_mask(length, past=0):
    """Lets each place attend to itself and to what stands before it.

    Args:
        length: number of places T that ask.
        past: number of places P that stand before them, and that all of them may see.

    Returns:
        Booleans (T, P + T): True at (i, j) if j is at most P + i.

    Raises:
        ValueError: if `length` is below 1 or `past` below 0.
    """
    for name, value, least in (("length", length, 1), ("past", past, 0)):
        if not tf.is_tensor(value):  # a graph knows its lengths only when it runs
            check_whole_number(name, value, least)
    return ops.arange(past + length)[None, :] <= past + ops.arange(length)[:, None]


def padding_mask(ids):
    """Lets every query attend to real characters only.

    Args:
        ids: whole numbers (B, T), 0 for padding.

    Returns:
        Booleans (B, 1, 1, T), the same for all heads and all queries.

    Raises:
        ValueError: if `ids` has not two axes.
    """
    ids = ops.convert_to_tensor(ids)
    if len(ids.shape) != 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; it must be (B, T)")
    return ops.not_equal(ids, PADDING)[:, None, None, :]


@keras.saving.register_keras_serializable("transformer")
class LearnedPositions(keras.layers.Layer):
    """Adds to each place a vector that is learned for that place alone.

    The vectors start as large as those of `sinusoidal_encoding`, in the mean: beside characters
    that were multiplied by √D, the usual 0.02 would be a whisper. Lesson 04 measures what it costs.

    Args:
        max_length: the largest number of places; texts may not be longer.
    """

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        check_positive(max_length=max_length)
        self.max_length = max_length

    def build(self, x_shape):
        self.table = self.add_weight(
            (self.max_length, x_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.5**0.5),
            name="table",
        )

    def call(self, x, first=0):
        """Adds the vectors of the places `first`, `first` + 1, … to x (B, T, D)."""
        length = x.shape[1]
        known = length is not None and not tf.is_tensor(first)
        if known and first + length > self.max_length:
            after = f" after {first} others" if first else ""
            raise ValueError(
                f"x has {length} places{after}; there are positions for {self.max_length}"
            )
        places = first + ops.arange(ops.shape(x)[1])
        return x + ops.cast(ops.take(self.table, places, axis=0), x.dtype)

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}


@keras.saving.register_keras_serializable("transformer")
class SinusoidalPositions(LearnedPositions):
    """Adds `sinusoidal_encoding` to x: nothing is learned."""

    def build(self, x_shape):
        self.table = sinusoidal_encoding(self.max_length, x_shape[-1])


@keras.saving.register_keras_serializable("transformer")
class NoPositions(keras.layers.Layer):
    """Adds nothing: what is left is a bag of characters."""

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        check_positive(max_length=max_length)
        self.max_length = max_length

    def call(self, x, first=0):
        return x

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}


class Sublayer(keras.layers.Layer):
    """What every sub-layer does around its own work: normalise, drop out, add the input.

    Post-norm is the paper's norm(x + f(x)). Pre-norm, x + f(norm(x)), leaves a path without any
    norm from the last layer to the first: Xiong et al. (2020), "On Layer Normalization in the
    Transformer Architecture".
    """

    def __init__(self, dropout=0.0, pre_norm=True, **kwargs):
        super().__init__(**kwargs)
        self.pre_norm = pre_norm
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def before(self, x):
        return self.norm(x) if self.pre_norm else x

    def after(self, x, change):
        x = x + self.dropout(change)
        return x if self.pre_norm else self.norm(x)


class SelfAttention(Sublayer):
    """Each place reads the places of its own sequence."""

    def __init__(self, num_heads, d_model, **kwargs):
        super().__init__(**kwargs)
        self.attention = MultiHeadAttention(num_heads, d_model, dtype=self.dtype_policy)

    def build(self, x_shape):
        self.norm.build(x_shape)
        self.attention.build(x_shape, x_shape)

    def call(self, x, past=None, attention_mask=None):
        """Reads x (B, T, D) and, before it, the keys and values of an earlier call.

        Returns:
            The output (B, T, D), all keys and values so far, and the weights (B, heads, T, P + T).
        """
        inner = self.before(x)
        keys, values = self.attention.project_memory(inner)
        if past is not None:
            keys = ops.concatenate([past[0], keys], axis=2)
            values = ops.concatenate([past[1], values], axis=2)
        queries = self.attention.project_query(inner)
        read, weights = self.attention.attend(queries, keys, values, attention_mask)
        return self.after(x, read), (keys, values), weights


class CrossAttention(Sublayer):
    """Each place reads another sequence, whose keys and values are projected beforehand."""

    def __init__(self, num_heads, d_model, **kwargs):
        super().__init__(**kwargs)
        self.attention = MultiHeadAttention(num_heads, d_model, dtype=self.dtype_policy)

    def build(self, x_shape):
        self.norm.build(x_shape)
        self.attention.build(x_shape, x_shape)

    def call(self, x, keys_and_values, attention_mask=None):
        """Returns the output (B, T, D) and the weights (B, heads, T, S)."""
        queries = self.attention.project_query(self.before(x))
        read, weights = self.attention.attend(queries, *keys_and_values, attention_mask)
        return self.after(x, read), weights


class FeedForward(Sublayer):
    """Each place thinks for itself: two dense layers, the same for all places."""

    def __init__(self, d_ff, d_model, **kwargs):
        super().__init__(**kwargs)
        self.expand = keras.layers.Dense(d_ff, activation="relu", dtype=self.dtype_policy)
        self.contract = keras.layers.Dense(d_model, dtype=self.dtype_policy)

    def build(self, x_shape):
        self.norm.build(x_shape)
        self.expand.build(x_shape)
        self.contract.build((*x_shape[:-1], self.expand.units))

    def call(self, x):
        return self.after(x, self.contract(self.expand(self.before(x))))


@keras.saving.register_keras_serializable("transformer")
class EncoderBlock(keras.layers.Layer):
    """Self-attention, then a feed-forward network; with a causal mask, a language model's block.

    Args:
        d_model: width D of input and output, a multiple of `num_heads`.
        num_heads: number of attention heads.
        d_ff: width of the feed-forward network.
        dropout: share of each sub-layer's output dropped in training.
        pre_norm: normalise what a sub-layer reads; if False, what it and its input add up to.
    """

    def __init__(self, d_model, num_heads, d_ff, dropout=0.0, pre_norm=True, **kwargs):
        super().__init__(**kwargs)
        check_positive(d_ff=d_ff)
        self.settings = {
            "d_model": d_model,
            "num_heads": num_heads,
            "d_ff": d_ff,
            "dropout": dropout,
            "pre_norm": pre_norm,
        }
        style = {"dropout": dropout, "pre_norm": pre_norm, "dtype": self.dtype_policy}
        self.self_attention = SelfAttention(num_heads, d_model, **style)
        self.feed_forward = FeedForward(d_ff, d_model, **style)

    def build(self, x_shape):
        self.self_attention.build(x_shape)
        self.feed_forward.build(x_shape)

    def call(self, x, attention_mask=None):
        """Turns x (B, T, D) into (B, T, D); the mask broadcasts to (B, heads, T, T)."""
        return self.extend(x, attention_mask=attention_mask)[0]

    def extend(self, x, past=None, attention_mask=None):
        """Does the block's work for new places that follow those of an earlier call.

        Args:
            x: floats (B, T, D), the new places.
            past: keys and values of the P places before, both (B, heads, P, d); None for none.
            attention_mask: booleans that broadcast to (B, heads, T, P + T).

        Returns:
            The output (B, T, D), the keys and values of all P + T places, the attention weights.
        """
        x, past, weights = self.self_attention(x, past=past, attention_mask=attention_mask)
        return self.feed_forward(x), past, weights

    def get_config(self):
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable("transformer")
class DecoderBlock(EncoderBlock):
    """Self-attention, attention to the encoder's output, feed-forward; arguments as before."""

    def __init__(self, d_model, num_heads, d_ff, dropout=0.0, pre_norm=True, **kwargs):
        super().__init__(d_model, num_heads, d_ff, dropout, pre_norm, **kwargs)
        style = {"dropout": dropout, "pre_norm": pre_norm, "dtype": self.dtype_policy}
        self.cross_attention = CrossAttention(num_heads, d_model, **style)

    def build(self, x_shape):
        super().build(x_shape)
        self.cross_attention.build(x_shape)

    def call(self, x, memory, attention_mask=None, memory_mask=None):
        """Turns x (B, T, D) into (B, T, D), reading the memory (B, S, D)."""
        keys_and_values = self.project_memory(memory)
        return self.extend(x, keys_and_values, None, attention_mask, memory_mask)[0]

    def project_memory(self, memory):
        """Turns the memory (B, S, D) into keys and values, once for all places to be written."""
        return self.cross_attention.attention.project_memory(memory)

    def extend(self, x, keys_and_values, past=None, attention_mask=None, memory_mask=None):
        """Does the block's work for new places, as `EncoderBlock.extend` does.

        Returns:
            The output (B, T, D), the keys and values of all places, and two kinds of weights: to
            the places written (B, heads, T, P + T) and to the memory (B, heads, T, S).
        """
        x, past, self_weights = self.self_attention(x, past=past, attention_mask=attention_mask)
        x, cross_weights = self.cross_attention(x, keys_and_values, attention_mask=memory_mask)
        return self.feed_forward(x), past, (self_weights, cross_weights)


#: Ids (B, T) for any B and T, as `tf.function` is told.
SOME_IDS = tf.TensorSpec((None, None), tf.int32)

#: The kinds of positions, by the name that models take.
POSITIONS = {
    "sinusoidal": SinusoidalPositions,
    "learned": LearnedPositions,
    "none": NoPositions,
}


class TokenEmbedding(keras.layers.Layer):
    """Turns ids into vectors with positions, and vectors back into scores of ids.

    One matrix serves both ways, and the vectors are multiplied by √D on the way in: section 3.4.

    Args:
        size: number of ids.
        d_model: width D of the vectors.
        positions: a name in `POSITIONS`.
        max_length: the largest number of places.
        dropout: share of the vectors' features dropped in training.
    """

    def __init__(self, size, d_model, positions, max_length, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_positive(size=size)
        check_choice("positions", positions, POSITIONS)
        self.size = size
        self.d_model = d_model
        self.positions = POSITIONS[positions](max_length, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, ids_shape):
        self.table = self.add_weight(
            (self.size, self.d_model),
            initializer=keras.initializers.RandomNormal(stddev=self.d_model**-0.5),
            name="table",
        )
        self.positions.build((*ids_shape, self.d_model))

    def call(self, ids, first=0):
        """Turns ids (B, T), the first of which stands at place `first`, into (B, T, D)."""
        vectors = ops.take(ops.cast(self.table, self.compute_dtype), ids, axis=0)
        return self.dropout(self.positions(vectors * self.d_model**0.5, first=first))

    def scores(self, x):
        """Turns vectors (..., D) into logits (..., size)."""
        return ops.matmul(x, ops.transpose(ops.cast(self.table, x.dtype)))


@keras.saving.register_keras_serializable("transformer")
class Transformer(keras.Model):
    """An encoder that reads a sequence and a decoder that writes another.

    Called on `(sources, previous)`, whole numbers (B, S) and (B, T), it gives logits
    (B, T, target_size); `previous` comes from `attention.previous_ids`. The paper's base model is
    `Transformer(37_000, num_layers=6, d_model=512, num_heads=8, d_ff=2048, dropout=0.1,
    pre_norm=False)`.

    Args:
        source_size: number of ids of the source.
        target_size: number of ids of the target; None if both share one vocabulary, and so one
            embedding.
        num_layers: number of encoder blocks, and of decoder blocks.
        d_model, num_heads, d_ff, dropout, pre_norm: see `EncoderBlock`.
        positions: a name in `POSITIONS`.
        max_length: the largest number of places in a source or a target.
    """

    def __init__(
        self,
        source_size,
        target_size=None,
        num_layers=2,
        d_model=64,
        num_heads=4,
        d_ff=256,
        dropout=0.0,
        pre_norm=True,
        positions="sinusoidal",
        max_length=128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "source_size": source_size,
            "target_size": target_size,
            "num_layers": num_layers,
            "d_model": d_model,
            "num_heads": num_heads,
            "d_ff": d_ff,
            "dropout": dropout,
            "pre_norm": pre_norm,
            "positions": positions,
            "max_length": max_length,
        }
        check_positive(num_layers=num_layers)
        place = {"positions": positions, "max_length": max_length, "dropout": dropout}
        self.source_embedding = TokenEmbedding(source_size, d_model, **place)
        self.target_embedding = self.source_embedding
        if target_size is not None:
            self.target_embedding = TokenEmbedding(target_size, d_model, **place)
        block = (d_model, num_heads, d_ff, dropout, pre_norm)
        self.encoder_blocks = [EncoderBlock(*block) for _ in range(num_layers)]
        self.decoder_blocks = [DecoderBlock(*block) for _ in range(num_layers)]
        self.encoder_norm, self.decoder_norm = _last_norm(pre_norm), _last_norm(pre_norm)
        keys_and_values = [_keys_and_values(block) for block in self.decoder_blocks]
        state = {
            "memory": keys_and_values,
            "memory_mask": tf.TensorSpec((None, 1, 1, None), "bool"),
            "past": keys_and_values,
        }
        self.compiled_step = tf.function(self.step, input_signature=[SOME_IDS, state])

    def build(self, shapes):
        sources, previous = shapes
        features = (None, None, self.source_embedding.d_model)
        self.source_embedding.build(sources)
        if self.target_embedding is not self.source_embedding:
            self.target_embedding.build(previous)
        norms = [self.encoder_norm, self.decoder_norm]
        for layer in [*self.encoder_blocks, *self.decoder_blocks, *norms]:
            layer.build(features)

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def call(self, inputs):
        sources, previous = inputs
        _check_rows("previous", previous, "sources", sources.shape[0])
        return self.step(previous, self.start(sources))[0]

    def encode(self, sources):
        """Reads the sources (B, S); returns the memory (B, S, D)."""
        x = self.source_embedding(sources)
        for block in self.encoder_blocks:
            x = block(x, attention_mask=padding_mask(sources))
        return self.encoder_norm(x)

    def attention_maps(self, sources, previous):
        """Looks at all heads of all layers.

        Returns:
            Dict of arrays (layers, B, heads, places that look, places looked at): "encoder",
            "decoder" and, from the decoder to the encoder, "cross".

        Raises:
            ValueError: if `sources` and `previous` have not the same number of rows.
        """
        _check_rows("previous", previous, "sources", sources.shape[0])
        maps = {"encoder": [], "decoder": [], "cross": []}
        x = self.source_embedding(sources)
        for block in self.encoder_blocks:
            x, _, weights = block.extend(x, attention_mask=padding_mask(sources))
            maps["encoder"].append(weights)
        memory = self.encoder_norm(x)
        x = self.target_embedding(previous)
        mask = self.visible(ops.shape(previous)[1], 0)
        for block in self.decoder_blocks:
            keys_and_values = block.project_memory(memory)
            x, _, weights = block.extend(x, keys_and_values, None, mask, padding_mask(sources))
            maps["decoder"].append(weights[0])
            maps["cross"].append(weights[1])
        return {name: np.stack([np.asarray(w) for w in layers]) for name, layers in maps.items()}

    def visible(self, length, past):
        """Which places the decoder may see: `causal_mask`."""
        return causal_mask(length, past)

    def start(self, sources):
        """Returns the state before anything is written: a dict of tensors, batch first."""
        memory = self.encode(sources)
        return {
            "memory": [block.project_memory(memory) for block in self.decoder_blocks],
            "memory_mask": padding_mask(sources),
            "past": [_nothing(block, memory) for block in self.decoder_blocks],
        }

    def step(self, ids, state):
        """Goes on writing.

        Args:
            ids: whole numbers (B, T), the characters written since the last step.
            state: what `start` or the last step gave back.

        Returns:
            Logits (B, T, target_size) for the character after each, and the state after them.
        """
        first = ops.shape(state["past"][0][0])[2]
        mask = self.visible(ops.shape(ids)[1], first)
        x = self.target_embedding(ids, first=first)
        past = []
        for block, memory, before in zip(
            self.decoder_blocks, state["memory"], state["past"], strict=True
        ):
            x, present, _ = block.extend(x, memory, before, mask, state["memory_mask"])
            past.append(present)
        return self.target_embedding.scores(self.decoder_norm(x)), {**state, "past": past}


@keras.saving.register_keras_serializable("transformer")
class SeesTheFuture(Transformer):
    """A Transformer whose author forgot the causal mask. Do not use it; see lesson 04."""

    def visible(self, length, past):
        return ops.ones((length, past + length), "bool")


@keras.saving.register_keras_serializable("transformer")
class LanguageModel(keras.Model):
    """A decoder alone: encoder blocks under a causal mask, as in GPT.

    Called on whole numbers (B, T) from `attention.previous_ids`, it gives logits (B, T, size).

    Args:
        size: number of ids.
        num_layers, d_model, num_heads, d_ff, dropout, pre_norm, positions, max_length: see
            `Transformer`.
    """

    def __init__(
        self,
        size,
        num_layers=2,
        d_model=64,
        num_heads=4,
        d_ff=256,
        dropout=0.0,
        pre_norm=True,
        positions="sinusoidal",
        max_length=128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "size": size,
            "num_layers": num_layers,
            "d_model": d_model,
            "num_heads": num_heads,
            "d_ff": d_ff,
            "dropout": dropout,
            "pre_norm": pre_norm,
            "positions": positions,
            "max_length": max_length,
        }
        check_positive(num_layers=num_layers)
        self.embedding = TokenEmbedding(size, d_model, positions, max_length, dropout)
        self.blocks = [
            EncoderBlock(d_model, num_heads, d_ff, dropout, pre_norm) for _ in range(num_layers)
        ]
        self.norm = _last_norm(pre_norm)
        state = {"past": [_keys_and_values(block) for block in self.blocks]}
        self.compiled_step = tf.function(self.step, input_signature=[SOME_IDS, state])

    def build(self, shape):
        self.embedding.build(shape)
        for layer in [*self.blocks, self.norm]:
            layer.build((None, None, self.embedding.d_model))

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def call(self, previous):
        return self.step(previous, self.start(previous))[0]

    def start(self, ids):
        """Returns the state before anything is written, for as many texts as `ids` has rows."""
        rows = self.embedding(ids)
        return {"past": [_nothing(block, rows) for block in self.blocks]}

    def step(self, ids, state):
        """Goes on writing, as `Transformer.step` does."""
        first = ops.shape(state["past"][0][0])[2]
        mask = causal_mask(ops.shape(ids)[1], first)
        x = self.embedding(ids, first=first)
        past = []
        for block, before in zip(self.blocks, state["past"], strict=True):
            x, present, _ = block.extend(x, before, mask)
            past.append(present)
        return self.embedding.scores(self.norm(x)), {"past": past}


@keras.saving.register_keras_serializable("transformer")
class LabelSmoothedLoss(keras.losses.Loss):
    """Cross-entropy in nats per real character, against targets that leave a little doubt.

    The target gives `smoothing` of its probability to all ids alike: section 5.4, after Szegedy
    et al. (2016), "Rethinking the Inception Architecture". Padding counts for nothing.

    Args:
        smoothing: the share given away, in [0, 1).

    Called on targets, ids (..., T) below `size`, and logits (..., T, size), it gives a number.
    """

    def __init__(self, smoothing=0.1, name="label_smoothed_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        check_in("[0, 1)", smoothing=smoothing)
        self.smoothing = smoothing

    def call(self, targets, logits):
        pairs = zip(targets.shape, logits.shape, strict=False)
        if len(logits.shape) != len(targets.shape) + 1 or any(differ(a, b) for a, b in pairs):
            raise ValueError(
                f"targets has shape {tuple(targets.shape)} and logits {tuple(logits.shape)}; "
                "logits must have the shape of targets and one more axis, the ids"
            )
        log_probabilities = ops.log_softmax(ops.cast(logits, "float32"))
        hot = ops.one_hot(targets, logits.shape[-1])
        right = ops.sum(hot * log_probabilities, -1)
        doubt = ops.mean(log_probabilities, -1)
        losses = -(1 - self.smoothing) * right - self.smoothing * doubt
        real = ops.cast(ops.not_equal(targets, PADDING), "float32")
        return ops.sum(losses * real) / ops.maximum(ops.sum(real), 1.0)

    def get_config(self):
        return {**super().get_config(), "smoothing": self.smoothing}


@keras.saving.register_keras_serializable("transformer")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Raises the rate in a straight line, then lets it fall as 1 / √step: equation 3.

    The paper writes peak and warm-up as one formula, whose peak is (d_model · warmup_steps)^(-1/2).

    Args:
        peak_rate: the largest rate, above 0, reached at step `warmup_steps`.
        warmup_steps: number of steps with rising rate.
    """

    def __init__(self, peak_rate, warmup_steps):
        super().__init__()
        check_positive(warmup_steps=warmup_steps)
        check_in("(0, ∞)", peak_rate=peak_rate)
        self.peak_rate = peak_rate
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        progress = (ops.cast(step, "float32") + 1) / self.warmup_steps
        return self.peak_rate * ops.minimum(progress, 1 / ops.sqrt(progress))

    def get_config(self):
        return {"peak_rate": self.peak_rate, "warmup_steps": self.warmup_steps}


def prepare(model, peak_rate, steps, warmup_share=0.1, smoothing=0.1):
    """Compiles a model for training: Adam, a rate that warms up, smoothed labels.

    The rate rises in a straight line and falls to 0 as a cosine, for a run whose length is known.

    Args:
        model: a `Transformer` or `LanguageModel` that has been built; it is changed in place.
        peak_rate: the largest rate, above 0.
        steps: number of training steps.
        warmup_share: share of the steps with rising rate, in [0, 1]; at least one step rises.
        smoothing: see `LabelSmoothedLoss`.

    Raises:
        ValueError: if a number is out of its bounds or the model has no weights yet.
    """
    check_positive(steps=steps)
    check_in("(0, ∞)", peak_rate=peak_rate)
    check_in("[0, 1]", warmup_share=warmup_share)
    if not model.built:
        raise ValueError("model has no weights yet; call its build, or the model itself, first")
    warmup_steps = max(1, round(warmup_share * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup_steps), warmup_target=peak_rate, warmup_steps=warmup_steps
    )
    optimizer = keras.optimizers.Adam(rate, beta_2=0.98, epsilon=1e-9)
    model.compile(optimizer, LabelSmoothedLoss(smoothing), jit_compile=False)
    # Otherwise Keras traces the whole training step twice, which takes seconds.
    optimizer.build(model.trainable_variables)


def greedy_decode(model, first, state, length, end=None):
    """Writes the most probable character, again and again, and remembers keys and values.

    Args:
        model: a `Transformer` or `LanguageModel`.
        first: whole numbers (B, T) to go on from: a column of `attention.START`, or a prompt.
        state: what `model.start` returned, for the same B rows.
        length: number of characters to write; with those before they must find room in the
            model's `max_length`.
        end: the id after which only padding is written; None for none.

    Returns:
        The ids written (B, length), and the log-probability of each row (B,), in nats.

    Raises:
        ValueError: if `first` and `state` do not fit together or `length` finds no room.
    """
    return _write(model, first, state, length, end, lambda scores: scores.argmax(-1))


def sample(model, first, state, length, rng, end=None):
    """Draws each character from the model's distribution; arguments as for `greedy_decode`.

    Args:
        rng: a `numpy.random.Generator`.
    """

    def draw(scores):
        # Gumbel's trick: the largest of noisy scores is a draw from their softmax.
        return (scores + rng.gumbel(size=scores.shape)).argmax(-1)

    return _write(model, first, state, length, end, draw)


def greedy_without_cache(model, first, state, length):
    """Writes what `greedy_decode` writes, reading all that stands there before each character.

    Arguments and errors are those of `greedy_decode`.

    Returns:
        The ids written (B, length).
    """
    written = _checked_start(model, first, state, length)
    for _ in range(length):
        logits, _ = model.compiled_step(written, state)
        newest = np.asarray(logits[:, -1]).argmax(-1).astype(written.dtype)
        written = np.concatenate([written, newest[:, None]], axis=1)
    return written[:, -length:]


def beam_search(model, first, state, length, width=4, end=None):
    """Writes with the `width` best beginnings kept at each character, not the best alone.

    No wider beam is sure to find a better text: the beginning of the greedy one may drop out.

    Args:
        width: number of beginnings kept, at least 1; other arguments as for `greedy_decode`.

    Returns:
        The best text of each row, ids (B, length), and its log-probability (B,), in nats.
    """
    check_positive(width=width)
    first = _checked_start(model, first, state, length)
    rows = np.repeat(np.arange(len(first)), width)
    newest, state = first[rows], _rows(state, rows)
    written = np.zeros((len(rows), 0), first.dtype)
    totals = np.zeros((len(first), width))
    totals[:, 1:] = -np.inf  # at first all beams are the same: one of them is enough
    for _ in range(length):
        logits, state = model.compiled_step(newest, state)
        scores = totals.reshape(-1, 1) + _log_probabilities(logits, written, end)
        ids = scores.shape[-1]
        scores = scores.reshape(len(first), width * ids)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :width]
        totals = np.take_along_axis(scores, best, axis=1)
        parents = (np.arange(len(first))[:, None] * width + best // ids).ravel()
        newest = (best % ids).reshape(-1, 1).astype(first.dtype)
        written = np.concatenate([written[parents], newest], axis=1)
        state = _rows(state, parents)
    return written.reshape(len(first), width, length)[:, 0], totals[:, 0]


class CountingModel:
    """The language model before networks: how often did this character follow these?

    Contexts of all lengths below `order` are mixed by how much they have seen, after Witten and
    Bell (1991), "The Zero-Frequency Problem".

    Args:
        order: number of characters counted together; 1 ignores the context.
        size: number of ids.
    """

    def __init__(self, order, size):
        check_positive(order=order, size=size)
        self.order = order
        self.size = size
        self.counts = collections.defaultdict(collections.Counter)

    def fit(self, rows):
        """Counts what follows what in rows of ids (n, T), padding left out; returns itself.

        The first id of a row is given: it is context, and nobody has to foretell it.

        Raises:
            ValueError: if `rows` has not two axes or holds an id that is not below `size`.
        """
        for row in self._without_padding(rows):
            for i in range(1, len(row)):
                for known in range(min(self.order, i + 1)):
                    self.counts[row[i - known : i]][row[i]] += 1
        return self

    def probability(self, context, following):
        """Returns the probability of the id `following` after the tuple of ids `context`."""
        probability = 1 / self.size
        for known in range(min(self.order, len(context) + 1)):
            seen = self.counts.get(context[len(context) - known :])
            if seen is None:
                break
            total, kinds = seen.total(), len(seen)
            probability = (seen[following] + kinds * probability) / (total + kinds)
        return probability

    def cross_entropy(self, rows):
        """Returns the mean surprise, −log p, over all ids but the first of each row, in nats.

        Raises:
            ValueError: as `fit`, or if no row has a second id.
        """
        surprises = [
            -np.log(self.probability(row[:i], row[i]))
            for row in self._without_padding(rows)
            for i in range(1, len(row))
        ]
        if not surprises:
            raise ValueError("rows has no row with a second id; there is nothing to foretell")
        return float(np.mean(surprises))

    def _without_padding(self, rows):
        rows = np.asarray(rows)
        if rows.ndim != 2:
            raise ValueError(f"rows has shape {rows.shape}; it must be (n, T)")
        if rows.size and not 0 <= rows.min() <= rows.max() < self.size:
            raise ValueError(
                f"rows holds ids from {rows.min()} to {rows.max()}; they must lie in "
                f"[0, {self.size})"
            )
        return [tuple(int(i) for i in row if i != PADDING) for row in rows]


def _checked_start(model, first, state, length):
    """Returns `first` as an array; refuses what TensorFlow would report in words of its own."""
    check_positive(length=length)
    first = np.asarray(first)
    if first.dtype.kind not in "iu" or first.ndim != 2 or first.shape[1] == 0:
        raise ValueError(
            f"first has type {first.dtype} and shape {first.shape}; it must be whole numbers "
            "(B, T), at least one for each row"
        )
    _check_rows("first", first, "state", keras.tree.flatten(state)[0].shape[0])
    if isinstance(model, Transformer | LanguageModel) and model.settings["positions"] != "none":
        before = state["past"][0][0].shape[2] + first.shape[1]
        most = model.settings["max_length"]
        if before + length - 1 > most:  # the last character written is not read
            raise ValueError(
                f"length is {length}; after {before} ids a model of max_length {most} can write "
                f"at most {max(0, most - before + 1)}"
            )
    return first


def _check_rows(name, ids, other, rows):
    if differ(ids.shape[0], rows):
        raise ValueError(f"{name} has {ids.shape[0]} rows; it must have as many as {other}, {rows}")


def _write(model, first, state, length, end, choose):
    newest = _checked_start(model, first, state, length)
    written = np.zeros((len(newest), 0), newest.dtype)
    totals = np.zeros(len(newest))
    for _ in range(length):
        logits, state = model.compiled_step(newest, state)
        scores = _log_probabilities(logits, written, end)
        newest = choose(scores)[:, None].astype(written.dtype)
        totals += np.take_along_axis(scores, newest, axis=1)[:, 0]
        written = np.concatenate([written, newest], axis=1)
    return written, totals


def _log_probabilities(logits, written, end):
    """The next character's; after the end, padding is certain."""
    scores = log_softmax(np.asarray(logits[:, -1], "float64"), axis=-1)
    if end is not None:
        ended = (written == end).any(axis=1)
        scores[ended] = -np.inf
        scores[ended, PADDING] = 0.0
    return scores


def _rows(state, rows):
    return keras.tree.map_structure(lambda tensor: ops.take(tensor, rows, axis=0), state)


def _last_norm(pre_norm):
    """A pre-norm stack adds up what its layers give; one norm at its end brings that to scale."""
    return keras.layers.LayerNormalization(epsilon=1e-6) if pre_norm else keras.layers.Identity()


def _keys_and_values(block):
    """What `tf.function` must know of them, so that one graph serves all batches and lengths."""
    attention = block.self_attention.attention
    width = attention.d_model // attention.num_heads
    either = tf.TensorSpec((None, attention.num_heads, None, width), block.compute_dtype)
    return either, either


def _nothing(block, x):
    """The keys and values of no places at all, for the rows of x."""
    attention = block.self_attention.attention
    heads = (attention.num_heads, 0, attention.d_model // attention.num_heads)
    empty = ops.zeros((ops.shape(x)[0], *heads), x.dtype)
    return empty, empty
