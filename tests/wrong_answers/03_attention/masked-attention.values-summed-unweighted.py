"""average with the masked weights"""

import numpy as np


def masked_attention(query, key, value, mask):
    scores = query @ key.T / query.shape[-1] ** 0.5
    scores = np.where(mask, scores, np.finfo(scores.dtype).min)
    exponentials = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    every = exponentials / np.sum(exponentials, axis=-1, keepdims=True)
    weights = np.where(mask, every, 0)
    plain = np.exp(query @ key.T / query.shape[-1] ** 0.5)
    return plain / np.sum(plain, axis=-1, keepdims=True) @ value, weights
