"""another answer has a higher value"""


def best_answer(p_data, p_generator, smoothing):
    soft = (1 - smoothing) * p_data
    total = soft + p_generator
    answer = soft / np.maximum(total, 1e-12)
    return np.where(p_data + p_generator > 0, np.minimum(answer, 1 - smoothing), 0.5)
