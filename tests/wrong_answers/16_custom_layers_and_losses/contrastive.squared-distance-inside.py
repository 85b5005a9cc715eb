"""the distance is not squared inside, the hinge is"""


def contrastive_costs(first, second, different, margin):
    squared = keras.ops.sum(keras.ops.square(first - second), axis=-1)
    shortfall = keras.ops.maximum(margin - squared, 0.0)
    return ((1 - different) * squared + different * keras.ops.square(shortfall)) / 2
