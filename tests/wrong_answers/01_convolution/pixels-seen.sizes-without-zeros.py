"""sees pixels"""


def pixels_seen(stack, place, size):
    sizes = [size]
    for kernel, stride, _zeros in stack[:-1]:
        sizes.append((sizes[-1] - kernel) // stride + 1)
    first = last = place
    for (kernel, stride, zeros), units in zip(stack[::-1], sizes[::-1], strict=True):
        first = max(first * stride - zeros, 0)
        last = min(last * stride - zeros + kernel - 1, units - 1)
    return first, last
