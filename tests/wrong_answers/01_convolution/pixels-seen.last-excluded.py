"""3 pixels: the last one is included"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in reversed(stack):
        first = first * stride - zeros
        last = last * stride - zeros + kernel - 1
    return max(first, 0), min(last + 1, size)
