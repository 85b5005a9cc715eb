"""the normalisation takes a bias away again"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same")(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(filters, 1)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
