"""use keras.ops"""

import numpy as np


def accuracy(y, logits):
    hits = np.reshape(y, (-1,)) == np.argmax(logits, axis=-1)
    return np.mean(hits)
