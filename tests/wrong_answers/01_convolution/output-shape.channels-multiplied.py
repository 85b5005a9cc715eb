"""each filter makes one channel"""


def output_shape(input_shape, stack):
    height, width, channels = input_shape
    for filters, kernel, stride, padding in stack:
        lost = kernel - 1 if padding == "valid" else 0
        height, width = (-(-(side - lost) // stride) for side in (height, width))
        channels = channels * filters * 3 if filters else channels
    return height, width, channels
