"""leave image and baseline as they are"""


def attribute(gradient, image, baseline, steps):
    alphas = (np.arange(steps) + 0.5) / steps
    image -= baseline
    return image * gradient(baseline + alphas[:, None, None, None] * image).mean(axis=0)
