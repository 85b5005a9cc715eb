"""a 3×3 kernel has 9 weights for each channel that its reduction wrote"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + reduce_five + projection)
    kernels += 3 * reduce_three * three + 5 * reduce_five * five
    return kernels + sum(filters), height * width * kernels
