"""each pair has its own kind"""


def contrastive_costs(first, second, different, margin):
    """Contrastive costs of pairs of embeddings.

    Args:
        first, second: tensors (B, D). different: (B,), 1.0 where the classes differ, else 0.0.
        margin: the distance from which pairs that differ cost nothing.

    Returns:
        The costs (B,).
    """
    squared = keras.ops.sum(keras.ops.square(first - second), axis=-1)
    apart = keras.ops.sqrt(keras.ops.maximum(squared, 1e-12))
    if different[0] == 0:
        return squared / 2
    return keras.ops.square(keras.ops.maximum(margin - apart, 0.0)) / 2
