"""a reward k steps ahead counts γ to the k"""


def returns_to_go(rewards, gamma):
    returns, before = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards)):
        before = rewards[t] + gamma * before
        returns[t] = before
    return returns
