"""do not write into rewards or values"""


def gae(rewards, values, next_values, terminated, truncated, gamma, decay):
    rewards += gamma * np.where(terminated, 0, next_values) - values
    for t in reversed(range(len(rewards) - 1)):
        if not (terminated[t] or truncated[t]):
            rewards[t] += gamma * decay * rewards[t + 1]
    return rewards
