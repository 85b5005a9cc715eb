"""a wrong slope"""


def contrastive_costs(first, second, different, margin):
    """Contrastive costs of pairs of embeddings.

    Args:
        first, second: tensors (B, D). different: (B,), 1.0 where the classes differ, else 0.0.
        margin: the distance from which pairs that differ cost nothing.

    Returns:
        The costs (B,).
    """
    d = np.linalg.norm(np.array(first) - np.array(second), axis=-1)
    return ((1 - different) * d**2 + different * np.maximum(0, margin - d) ** 2) / 2
