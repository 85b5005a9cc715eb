"""a 5×5 kernel has 25 weights for each channel that its reduction wrote"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + reduce_five + projection)
    kernels += 9 * reduce_three * three + 18 * reduce_five * five
    return kernels + sum(filters), height * width * kernels
