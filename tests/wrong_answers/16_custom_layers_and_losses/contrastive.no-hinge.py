"""beyond the margin"""


def contrastive_costs(first, second, different, margin):
    squared = keras.ops.sum(keras.ops.square(first - second), axis=-1)
    apart = keras.ops.sqrt(keras.ops.maximum(squared, 1e-12))
    shortfall = margin - apart
    return ((1 - different) * squared + different * keras.ops.square(shortfall)) / 2
