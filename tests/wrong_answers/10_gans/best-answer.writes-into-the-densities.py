"""leave the densities as they are"""


def best_answer(p_data, p_generator, smoothing):
    total = p_data + p_generator
    p_data *= 1 - smoothing
    return np.where(total > 0, p_data / np.where(total > 0, total, 1), 0.5)
