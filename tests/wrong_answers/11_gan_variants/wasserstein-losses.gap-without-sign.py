"""the gap keeps its sign"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = abs(np.mean(real_scores) - np.mean(fake_scores))
    return weight * penalty - gap, -np.mean(fake_scores)
