"""same padding, stride s: n / s, rounded up"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, padding in stack:
        if padding == "valid":
            height = (height - kernel) // stride + 1
            width = (width - kernel) // stride + 1
        channels = filters or channels
    return height, width, channels
