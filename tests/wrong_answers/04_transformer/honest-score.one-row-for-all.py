"""show the model every row"""


def my_scores(logits_after, targets):
    real = targets != 0
    logits = logits_after(attention.previous_ids(targets))
    log_p = np.asarray(keras.ops.log_softmax(logits))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    written = np.zeros((1, 1), int)
    for _ in range(targets.shape[1]):
        newest = logits_after(written)[:, -1:].argmax(-1)
        written = np.concatenate([written, newest], axis=1)
    right = (written[:, 1:] == targets) | ~real
    return losses[real].mean(), right.all(axis=1).mean()
