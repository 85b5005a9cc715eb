"""return two numbers"""


def adversarial_losses(real_logits, fake_logits):
    on_real = np.mean(np.logaddexp(0, -real_logits))
    on_fake = np.mean(np.logaddexp(0, fake_logits))
    return on_real + on_fake, np.logaddexp(0, -fake_logits)
