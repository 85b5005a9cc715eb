"""Keep to keras.ops"""

import keras
import numpy as np


def accuracy(y, logits):
    hits = np.reshape(y, (-1,)) == np.argmax(logits, axis=-1)
    return keras.ops.convert_to_tensor(np.mean(hits))
