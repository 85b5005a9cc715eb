"""pooling has a kernel, a stride and a padding"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, padding in stack:
        lost = kernel - 1 if padding == "valid" or filters is None else 0
        height, width = (-(-(side - lost) // stride) for side in (height, width))
        channels = filters or channels
    return height, width, channels
