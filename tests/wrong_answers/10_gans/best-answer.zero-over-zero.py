"""return one half, not 0 / 0"""


def best_answer(p_data, p_generator, smoothing):
    with np.errstate(invalid="ignore"):
        return (1 - smoothing) * p_data / (p_data + p_generator)
