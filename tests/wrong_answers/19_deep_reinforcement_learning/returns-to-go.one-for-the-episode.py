"""return one number for each step"""


def returns_to_go(rewards, gamma):
    return np.sum(gamma ** np.arange(len(rewards)) * rewards)
