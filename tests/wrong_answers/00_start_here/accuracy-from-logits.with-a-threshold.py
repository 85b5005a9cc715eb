"""logits have no threshold"""

import keras


def accuracy(y, logits):
    of_class = keras.ops.take_along_axis(logits, keras.ops.reshape(y, (-1, 1)), axis=-1)
    largest = keras.ops.max(logits, axis=-1, keepdims=True)
    hits = keras.ops.logical_and(of_class == largest, of_class > 0.5)
    return keras.ops.mean(keras.ops.cast(hits, "float32"))
