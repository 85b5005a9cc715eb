"""return parameters, then multiply-adds"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    kernels = channels * (one + reduce_three + reduce_five + projection)
    kernels += 9 * reduce_three * three + 25 * reduce_five * five
    return height * width * kernels, kernels + sum(filters)
