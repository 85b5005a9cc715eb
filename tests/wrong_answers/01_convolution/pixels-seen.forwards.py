"""go backwards, from the last layer to the image"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in stack:
        first = first * stride - zeros
        last = last * stride - zeros + kernel - 1
    return max(first, 0), min(last, size - 1)
