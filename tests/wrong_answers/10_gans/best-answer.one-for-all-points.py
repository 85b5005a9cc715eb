"""return one answer for each point"""


def best_answer(p_data, p_generator, smoothing):
    return (1 - smoothing) * p_data.sum() / (p_data + p_generator).sum()
