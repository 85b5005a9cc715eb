"""a mean"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = np.sum(real_scores) - np.sum(fake_scores)
    return weight * penalty - gap, -np.sum(fake_scores)
