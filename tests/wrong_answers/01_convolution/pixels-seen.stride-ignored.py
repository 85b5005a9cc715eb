"""with stride s, unit p starts at pixel p · s"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, _stride, zeros in reversed(stack):
        first = first - zeros
        last = last - zeros + kernel - 1
    return max(first, 0), min(last, size - 1)
