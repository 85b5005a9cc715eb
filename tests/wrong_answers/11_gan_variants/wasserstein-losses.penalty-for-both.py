"""the penalty is the critic's alone"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = np.mean(real_scores) - np.mean(fake_scores)
    return weight * penalty - gap, weight * penalty - np.mean(fake_scores)
