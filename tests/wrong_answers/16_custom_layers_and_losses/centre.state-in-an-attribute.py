"""else it is not saved"""


class Centre(keras.layers.Layer):
    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gain = self.add_weight(name="gain", shape=shape, initializer="ones")
        self.mean = 0.0

    def call(self, inputs, training=False):
        if training:
            batch = keras.ops.mean(inputs, axis=0)
            self.mean = self.momentum * self.mean + (1 - self.momentum) * batch
        return self.gain * (inputs - self.mean)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}
