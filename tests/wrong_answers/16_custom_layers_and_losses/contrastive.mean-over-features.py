"""one class: ½ d²"""


def contrastive_costs(first, second, different, margin):
    squared = keras.ops.mean(keras.ops.square(first - second), axis=-1)
    apart = keras.ops.sqrt(keras.ops.maximum(squared, 1e-12))
    shortfall = keras.ops.maximum(margin - apart, 0.0)
    return ((1 - different) * squared + different * keras.ops.square(shortfall)) / 2
