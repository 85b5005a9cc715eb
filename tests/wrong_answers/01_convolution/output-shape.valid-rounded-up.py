"""valid: what does not fit is dropped"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, padding in stack:
        lost = 0 if padding == "same" or stride > 1 else kernel - 1
        height, width = (-(-(side - lost) // stride) for side in (height, width))
        channels = filters or channels
    return height, width, channels
