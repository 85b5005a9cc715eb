"""a ReLU stands at the end, after the normalisation"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(keras.layers.ReLU()(x))
    x = keras.layers.Conv2D(filters, 1, use_bias=False)(x)
    return keras.layers.BatchNormalization()(keras.layers.ReLU()(x))
