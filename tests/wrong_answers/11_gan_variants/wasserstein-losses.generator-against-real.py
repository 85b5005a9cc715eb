"""minus the mean score of drawings"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = np.mean(real_scores) - np.mean(fake_scores)
    return weight * penalty - gap, gap
