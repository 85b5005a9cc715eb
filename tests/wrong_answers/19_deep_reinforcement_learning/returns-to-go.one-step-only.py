"""a reward k steps ahead counts γ to the k"""


def returns_to_go(rewards, gamma):
    return rewards + gamma * np.append(rewards[1:], 0)
