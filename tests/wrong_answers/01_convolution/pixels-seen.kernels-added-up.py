"""a stride widens the windows of all layers behind it"""


def pixels_seen(stack, place, size):
    first, field = place, 1
    for kernel, stride, zeros in reversed(stack):
        first = first * stride - zeros
        field += kernel - 1
    return max(first, 0), min(first + field - 1, size - 1)
