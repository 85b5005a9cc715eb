"""leave the list as you were given it"""


def pixels_seen(stack, place, size):
    sizes = [size]
    for kernel, stride, zeros in stack[:-1]:
        sizes.append((sizes[-1] + 2 * zeros - kernel) // stride + 1)
    first = last = place
    while stack:
        kernel, stride, zeros = stack.pop()
        first = max(first * stride - zeros, 0)
        last = min(last * stride - zeros + kernel - 1, sizes.pop() - 1)
    return first, last
