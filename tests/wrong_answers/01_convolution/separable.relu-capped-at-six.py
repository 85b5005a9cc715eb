"""these six layers and no others"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)(x)
    x = keras.layers.ReLU(max_value=6)(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(filters, 1, use_bias=False)(x)
    return keras.layers.ReLU(max_value=6)(keras.layers.BatchNormalization()(x))
