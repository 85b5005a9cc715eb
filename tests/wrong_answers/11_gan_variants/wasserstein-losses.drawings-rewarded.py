"""the critic wants drawings to score low"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    total = np.mean(real_scores) + np.mean(fake_scores)
    return weight * penalty - total, -np.mean(fake_scores)
