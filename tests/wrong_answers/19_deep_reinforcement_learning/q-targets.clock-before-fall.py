"""a fall in the last step is a fall"""


def q_targets(rewards, terminated, truncated, next_q, gamma):
    over = terminated & ~truncated
    return rewards + gamma * np.where(over, 0, next_q.max(axis=1))
