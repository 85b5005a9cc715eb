"""(3,) against (3, 1) went through"""

import keras


class GuardedSquaredError(keras.losses.Loss):
    def call(self, y, prediction):
        return keras.ops.square(y - prediction)
