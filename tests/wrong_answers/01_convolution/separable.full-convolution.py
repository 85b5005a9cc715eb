"""one kernel × kernel filter for each input channel"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.Conv2D(x.shape[-1], kernel, stride, "same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(filters, 1, use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
