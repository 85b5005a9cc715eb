"""itself and not its probability"""


def chosen_logits(logits, class_index=None):
    if class_index is None:
        return (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).max(axis=1)
    return logits[np.arange(len(logits)), class_index]
