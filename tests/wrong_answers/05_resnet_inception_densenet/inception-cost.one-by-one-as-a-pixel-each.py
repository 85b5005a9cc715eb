"""the 1×1 branch reads all channels"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = one + channels * (reduce_three + reduce_five + projection)
    kernels += 9 * reduce_three * three + 25 * reduce_five * five
    return kernels + sum(filters), height * width * kernels
