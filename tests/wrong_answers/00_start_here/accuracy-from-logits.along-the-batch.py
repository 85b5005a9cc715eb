"""the classes are the last axis"""

import keras


def accuracy(y, logits):
    hits = keras.ops.equal(keras.ops.reshape(y, (-1,)), keras.ops.argmax(logits, axis=0))
    return keras.ops.mean(keras.ops.cast(hits, "float32"))
