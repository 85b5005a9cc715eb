"""whole rewards must not round the returns"""


def returns_to_go(rewards, gamma):
    returns, following = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
