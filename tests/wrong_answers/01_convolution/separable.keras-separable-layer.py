"""one kernel × kernel filter for each input channel"""


def separable(x, filters, kernel=3, stride=1):
    x = keras.layers.SeparableConv2D(filters, kernel, stride, "same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
