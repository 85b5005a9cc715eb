"""grows by weight times penalty"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    gap = np.mean(real_scores) - np.mean(fake_scores)
    return penalty - gap, -np.mean(fake_scores)
