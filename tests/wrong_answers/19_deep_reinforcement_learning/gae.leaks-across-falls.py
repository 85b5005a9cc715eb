"""rewards of the next episode leak"""


def gae(rewards, values, next_values, terminated, truncated, gamma, decay):
    errors = rewards + gamma * np.where(terminated, 0, next_values) - values
    advantages, following = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        if truncated[t]:
            following = 0.0
        following = errors[t] + gamma * decay * following
        advantages[t] = following
    return advantages
