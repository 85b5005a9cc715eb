"""at a truncation V(s') counts: bootstrap"""


def gae(rewards, values, next_values, terminated, truncated, gamma, decay):
    errors = rewards + gamma * np.where(terminated | truncated, 0, next_values) - values
    advantages, following = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        if terminated[t] or truncated[t]:
            following = 0.0
        following = errors[t] + gamma * decay * following
        advantages[t] = following
    return advantages
