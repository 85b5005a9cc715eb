"""nothing to attend to gives zeros"""

import numpy as np


def masked_attention(query, key, value, mask):
    scores = query @ key.T / query.shape[-1] ** 0.5
    scores = np.where(mask, scores, -np.inf)
    exponentials = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    weights = exponentials / np.sum(exponentials, axis=-1, keepdims=True)
    return weights @ value, weights
