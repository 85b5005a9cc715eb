"""take no B from y.shape"""

import keras


def accuracy(y, logits):
    hits = keras.ops.equal(keras.ops.reshape(y, (-1,)), keras.ops.argmax(logits, axis=-1))
    return keras.ops.sum(keras.ops.cast(hits, "float32")) / y.shape[0]
