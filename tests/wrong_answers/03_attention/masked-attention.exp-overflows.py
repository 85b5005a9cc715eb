"""exp overflows: subtract each row's largest allowed score"""

import numpy as np


def masked_attention(query, key, value, mask):
    exponentials = np.where(mask, np.exp(query @ key.T / query.shape[-1] ** 0.5), 0)
    total = np.sum(exponentials, axis=-1, keepdims=True)
    weights = exponentials / np.where(total > 0, total, 1)
    return weights @ value, weights
