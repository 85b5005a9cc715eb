"""with stride 1, unit p starts at pixel p"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in reversed(stack):
        first = first * stride - zeros - (kernel - 1) // 2 if first else 0
        last = last * stride - zeros + (kernel - 1) // 2 if last else kernel - 1
    return max(first, 0), min(last, size - 1)
