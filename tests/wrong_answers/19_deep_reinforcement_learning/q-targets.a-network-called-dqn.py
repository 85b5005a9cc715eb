"""rewards alone are no Q-learning"""


def q_targets(rewards, terminated, truncated, next_q, gamma):
    return np.array(rewards)
