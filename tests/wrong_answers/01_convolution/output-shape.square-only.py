"""height and width may differ"""


def output_shape(input_shape, stack):
    size, _, channels = input_shape
    for filters, kernel, stride, padding in stack:
        lost = kernel - 1 if padding == "valid" else 0
        size = -(-(size - lost) // stride)
        channels = filters or channels
    return size, size, channels
