"""the last step's return is its own reward"""


def returns_to_go(rewards, gamma):
    whole = np.sum(gamma ** np.arange(len(rewards)) * rewards)
    return np.full(len(rewards), whole)
