"""without smoothing D* = p_data / (p_data + p_generator)"""


def best_answer(p_data, p_generator, smoothing):
    return (1 - smoothing) * p_data / np.maximum(p_generator, 1e-12)
