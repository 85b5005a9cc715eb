"""sum over the last axis only"""


def contrastive_costs(first, second, different, margin):
    squared = keras.ops.sum(keras.ops.square(first - second))
    apart = keras.ops.sqrt(keras.ops.maximum(squared, 1e-12))
    shortfall = keras.ops.maximum(margin - apart, 0.0)
    return keras.ops.sum((1 - different) * squared + different * keras.ops.square(shortfall)) / 2
