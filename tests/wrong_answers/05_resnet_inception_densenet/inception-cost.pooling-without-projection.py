"""the projection after pooling is a 1×1 convolution of all channels"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + reduce_five)
    kernels += 9 * reduce_three * three + 25 * reduce_five * five
    return kernels + sum(filters), height * width * kernels
