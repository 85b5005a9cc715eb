"""mask the scores, not the weights"""

import numpy as np


def masked_attention(query, key, value, mask):
    scores = query @ key.T / query.shape[-1] ** 0.5
    exponentials = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    weights = np.where(mask, exponentials / np.sum(exponentials, axis=-1, keepdims=True), 0)
    return weights @ value, weights
