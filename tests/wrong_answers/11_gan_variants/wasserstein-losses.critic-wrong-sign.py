"""the critic wants real images to score high"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = np.mean(real_scores) - np.mean(fake_scores)
    return weight * penalty + gap, -np.mean(fake_scores)
