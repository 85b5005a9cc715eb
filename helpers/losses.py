"""Losses, layers and metrics of one's own, and the models that need them.

Everything here survives saving: it is registered with Keras, and `get_config` returns what the
constructor needs.
"""

from helpers.arguments import check_in, check_positive, check_whole_number

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.metrics import precision_recall_curve

register = keras.saving.register_keras_serializable(package="helpers.losses")


@register
class BinaryFocalLoss(keras.losses.Loss):
    """Cross-entropy that counts easy examples less (Lin et al., 2017), from logits.

    With p the probability that the model gives to the true answer, and α the weight of the
    positives (1 − α that of the negatives), one answer costs

        α_t (1 − p)^γ · (−log p).

    Equal to `keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, from_logits=True)`,
    except that it refuses shapes which that one would stretch.

    Args:
        gamma: how fast the weight of easy examples falls, at least 0; at 0 all count alike.
        alpha: weight of the positives, in [0, 1].

    Call:
        y_true: 0 or 1, of the same shape as y_pred. y_pred: logits (B,), or (B, …, C), of which
            the last axis is averaged.
    """

    def __init__(
        self, gamma=2.0, alpha=0.25, reduction="sum_over_batch_size", name="binary_focal_loss"
    ):
        super().__init__(name=name, reduction=reduction)
        check_in("[0, ∞)", gamma=gamma)
        check_in("[0, 1]", alpha=alpha)
        self.gamma = gamma
        self.alpha = alpha

    def call(self, y_true, y_pred):
        losses = focal_terms(y_true, y_pred, self.gamma, self.alpha)
        return losses if len(losses.shape) == 1 else ops.mean(losses, axis=-1)

    def get_config(self):
        return super().get_config() | {"gamma": self.gamma, "alpha": self.alpha}


@register
class ContrastiveLoss(keras.losses.Loss):
    """Pulls pairs of one class together and pushes others a margin apart (Hadsell et al., 2006).

    A pair at distance d costs ½ d² if it is alike, and ½ max(0, margin − d)² if it is not.

    Args:
        margin: the distance from which pairs that differ are left alone, above 0.

    Call:
        y_true: 0 for a pair that is alike, 1 for one that differs. y_pred: the distances of the
            pairs, not squared, of the same shape: (B,), or (B, 1).
    """

    def __init__(self, margin=1.0, reduction="sum_over_batch_size", name="contrastive_loss"):
        super().__init__(name=name, reduction=reduction)
        check_in("(0, ∞)", margin=margin)
        self.margin = margin

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        shortfall = ops.relu(self.margin - y_pred)
        losses = ops.where(y_true > 0.5, ops.square(shortfall), ops.square(y_pred)) / 2
        return losses if len(losses.shape) == 1 else ops.mean(losses, axis=-1)

    def get_config(self):
        return super().get_config() | {"margin": self.margin}


@register
class SemiHardTripletLoss(keras.losses.Loss):
    """A relative must be nearer than a stranger, by a margin (Schroff et al., 2015).

    Distances are not squared, which Hermans et al. (2017) found steadier; Schroff et al. squared
    them.

    Each image of the batch is an anchor a, and is paired with each other image r of its class. The
    stranger s is the nearest of those beyond r, the semi-hard ones; if there is none, the farthest
    of all. The pair costs max(0, margin + d(a, r) − d(a, s)), and the anchor the mean of its
    pairs. An anchor alone in its class, or in a batch of one class, costs 0.

    Args:
        margin: by how much the relative must be nearer, above 0.

    Call:
        y_true: class labels (B,) or (B, 1). y_pred: embeddings (B, D).
    """

    def __init__(self, margin=1.0, reduction="sum_over_batch_size", name="semi_hard_triplet_loss"):
        super().__init__(name=name, reduction=reduction)
        check_in("(0, ∞)", margin=margin)
        self.margin = margin

    def call(self, y_true, y_pred):
        labels, embeddings = one_label_each(y_true, y_pred)
        distances = distance(embeddings[:, None], embeddings[None])
        alike = labels[:, None] == labels[None]
        stranger = ops.logical_not(alike)
        # Axes: anchor, relative, stranger.
        beyond = ops.logical_and(stranger[:, None], distances[:, None] > distances[:, :, None])
        nearest = ops.min(ops.where(beyond, distances[:, None], np.inf), axis=2)
        farthest = ops.max(ops.where(stranger, distances, 0.0), axis=1, keepdims=True)
        chosen = ops.where(ops.any(beyond, axis=2), nearest, farthest)
        costs = ops.relu(self.margin + distances - chosen)
        places = ops.arange(ops.shape(labels)[0])
        relative = ops.logical_and(alike, places[:, None] != places)
        valid = ops.logical_and(relative, ops.any(stranger, axis=1, keepdims=True))
        count = ops.sum(ops.cast(valid, costs.dtype), axis=1)
        return ops.sum(ops.where(valid, costs, 0.0), axis=1) / ops.maximum(count, 1.0)

    def get_config(self):
        return super().get_config() | {"margin": self.margin}


def distance(first, second):
    """Euclidean distance along the last axis, with a gradient of 0 where both points are equal.

    Args:
        first, second: (…, D), broadcast against each other.

    Returns:
        Distances (…).
    """
    squared = ops.sum(ops.square(first - second), axis=-1)
    # The slope of a root at 0 is infinite, and infinite times 0 is NaN.
    positive = squared > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, squared, 1.0)), 0.0)


def one_label_each(labels, embeddings):
    """Returns labels (B,) and embeddings (B, D) as tensors, and refuses other shapes.

    Args:
        labels: (B,) or (B, 1). embeddings: (B, D).

    Raises:
        ValueError: names both shapes.
    """
    labels, embeddings = ops.convert_to_tensor(labels), ops.convert_to_tensor(embeddings)
    column, rows = tuple(labels.shape), tuple(embeddings.shape)
    fits = len(rows) == 2 and (len(column) == 1 or (len(column) == 2 and column[1] == 1))
    if not fits or (None not in (column[0], rows[0]) and column[0] != rows[0]):
        raise ValueError(
            f"labels has shape {column} and embeddings {rows}; they must be (B,) or (B, 1), "
            f"and (B, D)"
        )
    return ops.reshape(labels, (-1,)), embeddings


def all_pairs(embeddings, labels):
    """Compares each row with each later one.

    Args:
        embeddings: (B, D). labels: classes (B,) or (B, 1).

    Returns:
        Distances (P,) of the P = B (B − 1) / 2 pairs, and float32 (P,): 1 where the classes
        differ, 0 where they are alike. Rows run slowest: (0, 1), (0, 2), …, (1, 2), …

    Raises:
        ValueError: if the shapes are others.
    """
    labels, embeddings = one_label_each(labels, embeddings)
    places = tf.range(tf.shape(labels)[0])
    pairs = tf.where(places[:, None] < places)
    first, second = pairs[:, 0], pairs[:, 1]
    distances = distance(tf.gather(embeddings, first), tf.gather(embeddings, second))
    different = tf.gather(labels, first) != tf.gather(labels, second)
    return distances, ops.cast(different, "float32")


@register
class Siamese(keras.Model):
    """One encoder for both members of a pair; `fit` trains it on all pairs of each batch.

    Calling it with two batches of images gives the distances (B,) of their embeddings. `fit` takes
    images and their classes: a batch of 64 images makes 2,016 pairs for 64 passes of the encoder.

    Args:
        encoder: keras.Model from images (B, …) to embeddings (B, D).
    """

    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.built = True

    def call(self, pair, training=False):
        first, second = pair
        return distance(
            self.encoder(first, training=training), self.encoder(second, training=training)
        )

    def train_step(self, data):
        images, labels = data
        with tf.GradientTape() as tape:
            distances, different = all_pairs(self.encoder(images, training=True), labels)
            loss = self.compute_loss(y=different, y_pred=distances)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.report(loss, different, distances)

    def test_step(self, data):
        images, labels = data
        distances, different = all_pairs(self.encoder(images, training=False), labels)
        loss = self.compute_loss(y=different, y_pred=distances, training=False)
        return self.report(loss, different, distances)

    def report(self, loss, different, distances):
        """Updates the mean loss and every metric; returns what they are by now."""
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(different, distances)
        return self.get_metrics_result()

    def get_config(self):
        encoder = keras.saving.serialize_keras_object(self.encoder)
        return super().get_config() | {"encoder": encoder}

    @classmethod
    def from_config(cls, config):
        encoder = keras.saving.deserialize_keras_object(config.pop("encoder"))
        return cls(encoder, **config)


@register
class PowerMeanPooling(layers.Layer):
    """Pools windows by their power mean, with a power that is learned for each channel.

    The power mean of n values is (1/n Σ xᵖ)^(1/p): the mean for p = 1, nearly the largest value
    for large p. Over the whole map it is the GeM pooling of Radenović et al. (2018).

    Args:
        size: side of the windows, which do not overlap; rows and columns left over are dropped.
        power: p before training, above 0.
        smallest: values below are raised to it, since a power needs positive numbers.

    Call:
        Maps (B, H, W, C), at least 0 (after a ReLU); returns (B, H // size, W // size, C).
    """

    def __init__(self, size=2, power=3.0, smallest=1e-6, **kwargs):
        super().__init__(**kwargs)
        check_positive(size=size)
        check_in("(0, ∞)", power=power, smallest=smallest)
        self.size = size
        self.power = power
        self.smallest = smallest

    def build(self, input_shape):
        if len(input_shape) != 4 or None in input_shape[1:] or min(input_shape[1:3]) < self.size:
            raise ValueError(
                f"the input has shape {tuple(input_shape)}; it must be (B, H, W, C) with known H "
                f"and W of at least {self.size}"
            )
        start = keras.initializers.Constant(self.power)
        self.p = self.add_weight(name="p", shape=(input_shape[-1],), initializer=start)

    def call(self, maps):
        size = self.size
        _, rows, columns, channels = self.compute_output_shape(maps.shape)
        # In logarithms, where xᵖ neither overflows nor vanishes.
        logs = self.p * ops.log(ops.maximum(maps, self.smallest))
        logs = logs[:, : rows * size, : columns * size]
        windows = ops.reshape(logs, (-1, rows, size, columns, size, channels))
        means = ops.logsumexp(windows, axis=(2, 4)) - np.log(size**2)
        return ops.exp(means / self.p)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height // self.size, width // self.size, channels)

    def get_config(self):
        settings = {"size": self.size, "power": self.power, "smallest": self.smallest}
        return super().get_config() | settings


@register
class Prototypes(layers.Layer):
    """Classifies an embedding by the nearest of the classes' means (Snell et al., 2017).

    `learn` computes the means from a few examples, without a gradient. They are weights, so they
    are saved with the model.

    Args:
        num_classes: number of classes.

    Call:
        Embeddings (B, D); returns logits (B, num_classes), minus the squared distances.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        check_positive(num_classes=num_classes)
        self.num_classes = num_classes

    def build(self, input_shape):
        self.means = self.add_weight(
            name="means", shape=(self.num_classes, input_shape[-1]), trainable=False
        )

    def learn(self, embeddings, labels):
        """Sets the means to those of embeddings (n, D) whose classes are labels (n,).

        Raises:
            ValueError: if a class has no example, a label is no class, or a row has no label.
        """
        embeddings, labels = _labelled_rows(embeddings, labels)
        if set(labels.tolist()) != set(range(self.num_classes)):
            raise ValueError(
                f"labels holds the classes {sorted(set(labels.tolist()))}; it must hold each of "
                f"0 to {self.num_classes - 1}, and no other"
            )
        if not self.built:
            self.build(embeddings.shape)
        self.means.assign([embeddings[labels == c].mean(axis=0) for c in range(self.num_classes)])

    def call(self, embeddings):
        return -ops.sum(ops.square(embeddings[:, None] - self.means), axis=-1)

    def get_config(self):
        return super().get_config() | {"num_classes": self.num_classes}


@register
class AveragePrecision(keras.metrics.Metric):
    """Area under the precision–recall curve: Σ (recall gained) · (precision there).

    Scores are counted in narrow bins, so the memory does not grow with the data. The result is
    exactly that of scikit-learn's `average_precision_score` on scores rounded to the bins, for
    all examples together, whatever the batches. Without positives it is 0.

    Args:
        bins: number of bins.
        largest: the bins cover logits from −largest to largest; the outer ones hold the rest.

    Update:
        y_true: 0 or 1, of the same shape as y_pred, (B,) or (B, 1). y_pred: logits. sample_weight:
            (B,) or (B, 1), or None.
    """

    def __init__(self, bins=4000, largest=20.0, name="average_precision", **kwargs):
        super().__init__(name=name, **kwargs)
        check_whole_number("bins", bins, 2)
        check_in("(0, ∞)", largest=largest)
        self.bins = bins
        self.largest = largest
        self.positives = self.add_weight(shape=(bins,), initializer="zeros", name="positives")
        self.negatives = self.add_weight(shape=(bins,), initializer="zeros", name="negatives")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = same_shape(y_true, y_pred)
        y_true = ops.cast(ops.reshape(y_true, (-1,)), self.dtype)
        share = (ops.cast(ops.reshape(y_pred, (-1,)), self.dtype) / self.largest + 1) / 2
        places = ops.cast(ops.clip(share * self.bins, 0, self.bins - 1), "int32")
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, self.dtype), (-1,))
            given, needed = weight.shape[0], y_true.shape[0]
            if None not in (given, needed) and given != needed:
                raise ValueError(f"sample_weight has {given} numbers; y_true needs {needed}")
        for counts, kind in ((self.positives, y_true), (self.negatives, 1 - y_true)):
            counts.assign_add(ops.segment_sum(weight * kind, places, num_segments=self.bins))

    def result(self):
        found = ops.cumsum(ops.flip(self.positives))
        false_alarms = ops.cumsum(ops.flip(self.negatives))
        precision = ops.divide_no_nan(found, found + false_alarms)
        gained = ops.divide_no_nan(ops.flip(self.positives), ops.sum(self.positives))
        return ops.sum(gained * precision)

    def get_config(self):
        return super().get_config() | {"bins": self.bins, "largest": self.largest}


def focal_terms(y_true, logits, gamma=2.0, alpha=0.25):
    """Focal loss of each yes-or-no answer, in nats.

    Args:
        y_true, logits: tensors of the same shape; y_true is 0 or 1.
        gamma, alpha: see `BinaryFocalLoss`.

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if the shapes differ.
    """
    y_true, logits = same_shape(y_true, logits)
    # The logit of the true answer: p = σ(margin), and 1 − p = σ(−margin).
    margin = ops.where(y_true > 0.5, logits, -logits)
    weight = ops.cast(ops.where(y_true > 0.5, alpha, 1 - alpha), margin.dtype)
    # −log σ(a) = softplus(−a) neither overflows nor rounds to log 0, and nor do its slopes.
    return weight * ops.exp(-gamma * ops.softplus(margin)) * ops.softplus(-margin)


def same_shape(y_true, y_pred):
    """Returns both as tensors, and refuses shapes that would broadcast.

    (N,) against (N, 1) makes an N × N matrix: each answer meets each prediction.

    Raises:
        ValueError: names both shapes, and the cure.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    known = [(a, b) for a, b in zip(true, pred, strict=False) if a is not None and b is not None]
    if len(true) != len(pred) or any(a != b for a, b in known):
        raise ValueError(
            f"y_true has shape {true} and y_pred {pred}; they must be the same, or they broadcast. "
            f"For (N,) against (N, 1), give y_true[:, None]"
        )
    return y_true, y_pred


def build_spotter(input_shape=(28, 28, 1), filters=(8, 16), hidden=32, prior=0.5):
    """A small network that says whether an image shows what is looked for: images → logits (B, 1).

    Args:
        input_shape: (H, W, C) of the images.
        filters: channels of the convolutions; each halves the sides.
        hidden: units of the dense layer.
        prior: the probability that the untrained network starts from (Lin et al., 2017, 3.3).

    Raises:
        ValueError: if prior is not between 0 and 1.
    """
    check_in("(0, 1)", prior=prior)
    blocks = [keras.Input(input_shape)]
    for count in filters:
        blocks.append(layers.Conv2D(count, 3, strides=2, padding="same", activation="relu"))
    blocks += [layers.Flatten(), layers.Dense(hidden, activation="relu")]
    start = keras.initializers.Constant(float(np.log(prior / (1 - prior))))
    return keras.Sequential([*blocks, layers.Dense(1, bias_initializer=start)], name="spotter")


def build_encoder(input_shape=(28, 28, 1), embedding_size=16, filters=(16, 32, 64)):
    """A small convolutional network from images (B, H, W, C) to embeddings (B, embedding_size).

    Args:
        input_shape: (H, W, C) of the images.
        embedding_size: width of an embedding.
        filters: channels of the convolutions; the first has stride 2, the others are pooled.
    """
    first, *others = filters
    blocks = [
        keras.Input(input_shape),
        layers.Conv2D(first, 3, strides=2, padding="same", activation="relu"),
    ]
    for count in others:
        blocks.append(layers.Conv2D(count, 3, padding="same", activation="relu"))
        blocks.append(PowerMeanPooling())
    blocks += [layers.Flatten(), layers.Dense(embedding_size)]
    return keras.Sequential(blocks, name="encoder")


def few_shot_accuracy(embeddings, labels, shots, trials, rng):
    """How often the nearest mean of a few examples is that of the right class.

    Args:
        embeddings: (n, D). labels: classes (n,).
        shots: examples of each class that are shown; the rest is asked.
        trials: number of random choices of examples.
        rng: numpy.random.Generator.

    Returns:
        Array (trials,): the share of right answers in each.

    Raises:
        ValueError: if there are fewer than two classes, a class has no more than `shots`
            examples, or a row has no label.
    """
    check_positive(shots=shots, trials=trials)
    embeddings, labels = _labelled_rows(embeddings, labels)
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"labels holds the classes {classes.tolist()}; it needs at least two")
    smallest = np.bincount(labels).min()
    if smallest <= shots:
        raise ValueError(f"a class has {smallest} examples; with shots {shots} it needs more")
    scores = []
    for _ in range(trials):
        order = rng.permutation(len(labels))
        shown = [order[labels[order] == c][:shots] for c in range(len(classes))]
        means = np.stack([embeddings[places].mean(axis=0) for places in shown])
        asked = np.setdiff1d(order, np.concatenate(shown))
        squared = np.sum((embeddings[asked, None] - means) ** 2, axis=-1)
        scores.append(np.mean(np.argmin(squared, axis=1) == labels[asked]))
    return np.array(scores)


def flatten(embeddings):
    """Projects embeddings (n, D) onto the two directions in which they spread most: (n, 2).

    Raises:
        ValueError: if n or D is less than 2, or a number is not finite.
    """
    embeddings = _finite_rows(embeddings)
    if min(embeddings.shape) < 2:
        raise ValueError(
            f"embeddings has shape {embeddings.shape}; it must be (n, D) with at least two of each"
        )
    centred = embeddings - np.mean(embeddings, axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def precision_at_recall(y_true, scores, recalls, sample_weight=None):
    """The best precision that some threshold reaches at a recall of at least each of `recalls`.

    Args:
        y_true: 0 or 1, (n,) or (n, 1). scores: (n,), higher for positives. recalls: (m,), in
            [0, 1]. sample_weight: (n,), or None.

    Returns:
        Array (m,) of the precisions, in the order of recalls.

    Raises:
        ValueError: if a recall is not in [0, 1], or y_true holds no positive.
    """
    if not all(0 <= least <= 1 for least in recalls):
        raise ValueError(f"recalls is {recalls!r}; all must be in [0, 1]")
    if not np.any(y_true):
        raise ValueError("y_true holds no positive; recall needs at least one")
    precision, recall, _ = precision_recall_curve(y_true, scores, sample_weight=sample_weight)
    return np.array([precision[recall >= least - 1e-9].max() for least in recalls])


def _labelled_rows(embeddings, labels):
    """Returns embeddings (n, D) and labels (n,) as arrays, and refuses what is not that."""
    embeddings, labels = _finite_rows(embeddings), np.asarray(labels)
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(
            f"labels has shape {labels.shape} and embeddings {embeddings.shape}; they must be (n,) "
            f"and (n, D)"
        )
    return embeddings, labels


def _finite_rows(embeddings):
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings has shape {embeddings.shape}; it must be (n, D)")
    if not np.all(np.isfinite(embeddings)):
        raise ValueError("embeddings holds NaN or infinite numbers; all must be finite")
    return embeddings
