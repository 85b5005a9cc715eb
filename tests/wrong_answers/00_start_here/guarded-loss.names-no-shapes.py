"""the message must name both shapes"""

import keras


class GuardedSquaredError(keras.losses.Loss):
    def call(self, y, prediction):
        if tuple(y.shape) != tuple(prediction.shape):
            raise ValueError("the shapes differ")
        return keras.ops.square(y - prediction)
