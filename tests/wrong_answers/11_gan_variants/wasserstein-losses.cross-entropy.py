"""no sigmoid, no logarithm"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    critic = np.mean(np.logaddexp(0, -real_scores)) + np.mean(np.logaddexp(0, fake_scores))
    return critic + weight * penalty, np.mean(np.logaddexp(0, -fake_scores))
