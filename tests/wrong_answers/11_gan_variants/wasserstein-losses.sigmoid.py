"""no sigmoid, no logarithm"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    real, fake = 1 / (1 + np.exp(-real_scores)), 1 / (1 + np.exp(-fake_scores))
    return weight * penalty - (np.mean(real) - np.mean(fake)), -np.mean(fake)
