"""padding is same"""


def inception_cost(height, width, channels, filters):
    one, reduce_three, three, reduce_five, five, projection = filters
    ones = channels * (one + reduce_three + reduce_five + projection)
    three_by_three = 9 * reduce_three * three
    five_by_five = 25 * reduce_five * five
    kernels = ones + three_by_three + five_by_five
    cost = height * width * (ones + three_by_three) + (height - 4) * (width - 4) * five_by_five
    return kernels + sum(filters), cost
