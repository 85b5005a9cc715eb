"""zeros between two layers are no units either"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in reversed(stack):
        first = max(first * stride - zeros, 0)
        last = min(last * stride - zeros + kernel - 1, size - 1)
    return first, last
