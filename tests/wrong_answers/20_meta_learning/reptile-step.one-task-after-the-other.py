"""the order of the tasks matters"""


def reptile_step(w, x, y, rate, steps, outer_rate):
    adapted = w
    for points, answers in zip(x, y, strict=True):
        for _ in range(steps):
            gradient = 2 / len(answers) * points.T @ (points @ adapted - answers)
            adapted = adapted - rate * gradient
    return w + outer_rate * (adapted - w)
