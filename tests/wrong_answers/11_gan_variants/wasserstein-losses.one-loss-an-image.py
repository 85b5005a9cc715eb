"""each loss is one number"""


def wasserstein_losses(real_scores, fake_scores, penalty, weight):
    return weight * penalty - (real_scores - fake_scores), -fake_scores
