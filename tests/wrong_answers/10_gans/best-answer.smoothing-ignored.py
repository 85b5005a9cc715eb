"""where nothing is drawn, D should answer 1 − smoothing"""


def best_answer(p_data, p_generator, smoothing):
    total = p_data + p_generator
    return np.where(total > 0, p_data / np.maximum(total, 1e-12), 0.5)
