"""zeros are no pixels: end at size − 1"""


def pixels_seen(stack, place, size):
    first = last = place
    for kernel, stride, zeros in reversed(stack):
        first = first * stride - zeros
        last = last * stride - zeros + kernel - 1
    return max(first, 0), last
