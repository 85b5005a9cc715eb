"""the slope of a root at 0 is infinite"""


def contrastive_costs(first, second, different, margin):
    squared = keras.ops.sum(keras.ops.square(first - second), axis=-1)
    apart = keras.ops.sqrt(squared)
    shortfall = keras.ops.maximum(margin - apart, 0.0)
    return ((1 - different) * squared + different * keras.ops.square(shortfall)) / 2
