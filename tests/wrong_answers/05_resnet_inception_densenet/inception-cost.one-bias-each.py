"""parameters are kernels and all biases"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + reduce_five + projection)
    kernels += 9 * reduce_three * three + 25 * reduce_five * five
    return kernels + 6, height * width * kernels
