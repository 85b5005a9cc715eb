"""logits of ±1000 overflow"""


def adversarial_losses(real_logits, fake_logits):
    real, fake = 1 / (1 + np.exp(-real_logits)), 1 / (1 + np.exp(-fake_logits))
    return -np.log(real).mean() - np.log(1 - fake).mean(), -np.log(fake).mean()
