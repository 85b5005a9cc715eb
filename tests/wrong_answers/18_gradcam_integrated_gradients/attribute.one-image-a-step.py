"""one image a step"""


def attribute(gradient, image, baseline, steps):
    total = 0
    for alpha in (np.arange(steps) + 0.5) / steps:
        total = total + gradient((baseline + alpha * (image - baseline))[None])[0]
    return (image - baseline) * total / steps
