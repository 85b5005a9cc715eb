"""margin is 1 here"""


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
    return (
        (1 - different) * squared + different * keras.ops.square(keras.ops.maximum(2 - apart, 0))
    ) / 2
