"""add the two paths, do not join them"""


def strided_block(x, filters, stride):
    conv = {"padding": "same", "use_bias": False}
    branch = keras.layers.Conv2D(filters, 3, strides=stride, **conv)(x)
    branch = keras.layers.ReLU()(keras.layers.BatchNormalization()(branch))
    branch = keras.layers.Conv2D(filters, 3, **conv)(branch)
    branch = keras.layers.BatchNormalization()(branch)
    if stride > 1 or x.shape[-1] != filters:
        x = keras.layers.Conv2D(filters, 1, strides=stride, **conv)(x)
        x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(keras.layers.Concatenate()([branch, x]))
