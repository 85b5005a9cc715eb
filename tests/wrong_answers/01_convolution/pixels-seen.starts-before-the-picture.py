"""zeros are no pixels: start at 0 at least"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in reversed(stack):
        first = first * stride - zeros
        last = last * stride - zeros + kernel - 1
    return first, min(last, size - 1)
