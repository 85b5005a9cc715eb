"""the gain is, the mean is not"""


class Centre(keras.layers.Layer):
    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gain = self.add_weight(name="gain", shape=shape, initializer="ones")
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros")

    def call(self, inputs, training=False):
        if training:
            batch = keras.ops.mean(inputs, axis=0)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * batch)
        return self.gain * (inputs - self.mean)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}
