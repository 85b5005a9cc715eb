"""a 3×3 kernel has 9 weights for each channel that its reduction wrote"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + 9 * three + reduce_five + 25 * five + projection)
    return kernels + sum(filters), height * width * kernels
