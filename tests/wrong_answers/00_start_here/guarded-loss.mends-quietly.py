"""do not mend it quietly"""

import keras


class GuardedSquaredError(keras.losses.Loss):
    def call(self, y, prediction):
        return keras.ops.square(keras.ops.reshape(y, keras.ops.shape(prediction)) - prediction)
