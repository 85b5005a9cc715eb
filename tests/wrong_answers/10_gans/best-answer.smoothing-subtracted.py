"""an answer is a probability"""


def best_answer(p_data, p_generator, smoothing):
    total = p_data + p_generator
    return np.where(total > 0, p_data / np.maximum(total, 1e-12), 0.5) - smoothing
