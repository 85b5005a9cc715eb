"""the best policy takes the best action"""


def q_targets(rewards, terminated, truncated, next_q, gamma):
    return rewards + gamma * np.where(terminated, 0, next_q.mean(axis=1))
