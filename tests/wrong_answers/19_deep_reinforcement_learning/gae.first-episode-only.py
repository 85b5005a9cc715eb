"""every episode counts"""


def gae(rewards, values, next_values, terminated, truncated, gamma, decay):
    errors = rewards + gamma * np.where(terminated, 0, next_values) - values
    advantages = np.zeros(len(rewards))
    ended = terminated | truncated
    stop = np.argmax(ended) + 1 if ended.any() else len(rewards)
    following = 0.0
    for t in reversed(range(stop)):
        following = errors[t] + gamma * decay * following
        advantages[t] = following
    return advantages
