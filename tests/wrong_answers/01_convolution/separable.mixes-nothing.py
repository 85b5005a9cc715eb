"""the pointwise convolution makes `filters` channels"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.DepthwiseConv2D(1, use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
