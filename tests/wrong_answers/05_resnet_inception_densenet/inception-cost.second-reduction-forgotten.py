"""the reduction before 5×5 is a 1×1 convolution of all channels"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + projection)
    kernels += 9 * reduce_three * three + 25 * reduce_five * five
    return kernels + sum(filters), height * width * kernels
