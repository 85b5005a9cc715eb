"""zeros at the start move the window back"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, _zeros in reversed(stack):
        first = first * stride
        last = last * stride + kernel - 1
    return max(first, 0), min(last, size - 1)
