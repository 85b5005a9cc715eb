"""return a pair"""

import numpy as np


def masked_attention(query, key, value, mask):
    scores = query @ key.T / query.shape[-1] ** 0.5
    scores = np.where(mask, scores, np.finfo(scores.dtype).min)
    exponentials = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    exponentials = np.where(mask, exponentials, 0)
    total = np.sum(exponentials, axis=-1, keepdims=True)
    return exponentials / np.where(total > 0, total, 1) @ value
