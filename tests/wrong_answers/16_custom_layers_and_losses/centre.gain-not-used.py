"""then gain · (x − mean)"""


class Centre(keras.layers.Layer):
    """Subtracts a running mean of each feature and multiplies by a learned gain."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        """Makes the weights for inputs of shape (B, D)."""
        shape = (input_shape[-1],)
        self.gain = self.add_weight(name="gain", shape=shape, initializer="ones")
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        """Returns gain · (inputs − mean), after moving the mean if in training."""
        if training:
            batch = keras.ops.mean(inputs, axis=0)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * batch)
        return inputs - self.mean

    def get_config(self):
        """Returns the arguments of the constructor by name."""
        return super().get_config() | {"momentum": self.momentum}
