"""the right numbers in the wrong order"""


def returns_to_go(rewards, gamma):
    returns, following = [], 0.0
    for reward in rewards[::-1]:
        following = reward + gamma * following
        returns.append(following)
    return np.array(returns)
