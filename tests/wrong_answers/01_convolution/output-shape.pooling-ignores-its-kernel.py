"""pooling has a kernel, a stride and a padding"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, padding in stack:
        lost = kernel - 1 if padding == "valid" else 0
        if filters is None:
            height, width = height // stride, width // stride
        else:
            height, width = (-(-(side - lost) // stride) for side in (height, width))
            channels = filters
    return height, width, channels
