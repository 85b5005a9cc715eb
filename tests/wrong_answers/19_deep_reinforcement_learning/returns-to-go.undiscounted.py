"""a reward k steps ahead counts γ to the k"""


def returns_to_go(rewards, gamma):
    return np.cumsum(rewards[::-1])[::-1].astype(float)
