"""teacher forcing is no writing"""


def my_scores(logits_after, targets):
    real = targets != 0
    logits = logits_after(attention.previous_ids(targets))
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    right = (logits.argmax(-1) == targets) | ~real
    return losses[real].mean(), right.all(axis=1).mean()
