"""without smoothing D* = p_data / (p_data + p_generator)"""


def best_answer(p_data, p_generator, smoothing):
    return (1 - smoothing) * p_generator / (p_data + p_generator)
