"""softmax over the keys, axis -1"""

import numpy as np


def masked_attention(query, key, value, mask):
    scores = query @ key.T / query.shape[-1] ** 0.5
    scores = np.where(mask, scores, np.finfo(scores.dtype).min)
    exponentials = np.where(mask, np.exp(scores - np.max(scores, axis=0)), 0)
    total = np.sum(exponentials, axis=0)
    weights = exponentials / np.where(total > 0, total, 1)
    return weights @ value, weights
