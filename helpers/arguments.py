"""What functions ask of their arguments, and how they say no."""

import numbers


def check_whole_number(name, value, least, most=None):
    """Refuses what is not a whole number between two bounds, both allowed.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{name} is {value!r}; it must be a whole number {bounds}")


def check_positive(**values):
    """Refuses what is not a whole number of at least 1; the keywords are the arguments' names.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    for name, value in values.items():
        check_whole_number(name, value, 1)


def check_in(interval, **values):
    """Refuses what is not a real number in an interval, written as in mathematics: "[0, 1)".

    Args:
        interval: a square bracket takes its end in, a round one leaves it out; "∞" is an end.
        values: what came, by the arguments' names.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    low, high = (float(end) for end in interval[1:-1].replace("∞", "inf").split(","))
    for name, value in values.items():
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        above = real and (value >= low if interval[0] == "[" else value > low)
        if not (above and (value <= high if interval[-1] == "]" else value < high)):
            raise ValueError(f"{name} is {value!r}; it must be a number in {interval}")


def differ(a, b):
    """Tells if two sizes of axes are known, not None, and not the same."""
    return a is not None and b is not None and a != b


def check_choice(name, value, choices):
    """Refuses what is not one of the choices.

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")


def check_halvings(name, shape, times, cause):
    """Refuses a shape (H, W, …) whose sides cannot be halved so often; a side may be None.

    Args:
        name, shape: the argument, and what it got.
        times: how often the sides are halved.
        cause: what asks for it, such as "depth 3".

    Raises:
        ValueError: names the argument, what it got and what it needs.
    """
    if any(side is not None and side % 2**times for side in shape[:2]):
        raise ValueError(
            f"{name} is {tuple(shape)}; with {cause} both sides must be multiples of {2**times}, "
            f"since they are halved {times} times"
        )
