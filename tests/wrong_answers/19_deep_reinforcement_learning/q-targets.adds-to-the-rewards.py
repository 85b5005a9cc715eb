"""do not write into the rewards"""


def q_targets(rewards, terminated, truncated, next_q, gamma):
    rewards += gamma * np.where(terminated, 0, next_q.max(axis=1))
    return rewards
