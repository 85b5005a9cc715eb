"""a reward is no merit of the steps after it"""


def returns_to_go(rewards, gamma):
    distance = np.abs(np.arange(len(rewards))[:, None] - np.arange(len(rewards)))
    return gamma**distance @ rewards
