"""it changed its arguments"""

import numpy as np


def masked_attention(query, key, value, mask):
    query /= np.sqrt(query.shape[-1]).astype(query.dtype)
    scores = np.where(mask, query @ key.T, np.finfo(query.dtype).min)
    exponentials = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    exponentials = np.where(mask, exponentials, 0)
    total = np.sum(exponentials, axis=-1, keepdims=True)
    weights = exponentials / np.where(total > 0, total, 1)
    return weights @ value, weights
