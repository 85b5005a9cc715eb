"""logits of ±1000 overflow"""


def adversarial_losses(real_logits, fake_logits):
    def sigmoid(logits):
        return np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1 - 1e-7)

    real, fake = sigmoid(real_logits), sigmoid(fake_logits)
    return -np.log(real).mean() - np.log(1 - fake).mean(), -np.log(fake).mean()
