"""ask whether class_index is None"""


def chosen_logits(logits, class_index=None):
    if not np.any(class_index):
        class_index = logits.argmax(axis=1)
    return logits[np.arange(len(logits)), class_index]
