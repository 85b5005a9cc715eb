"""in fit the batch length is None"""

import keras


class GuardedSquaredError(keras.losses.Loss):
    def call(self, y, prediction):
        shapes = [tuple(int(length) for length in tensor.shape) for tensor in (y, prediction)]
        if shapes[0] != shapes[1]:
            raise ValueError(f"targets have shape {shapes[0]}, predictions {shapes[1]}")
        return keras.ops.square(y - prediction)
