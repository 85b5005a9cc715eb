"""smooth real labels only"""


def best_answer(p_data, p_generator, smoothing):
    total = p_data + p_generator
    raised = (1 - smoothing) * p_data + smoothing * p_generator
    return np.where(total > 0, raised / np.maximum(total, 1e-12), 0.5)
