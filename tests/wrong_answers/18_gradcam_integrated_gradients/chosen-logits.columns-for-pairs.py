"""pair row i with class i"""


def chosen_logits(logits, class_index=None):
    if class_index is None:
        return logits.max(axis=1)
    chosen = logits[:, class_index]
    return chosen if chosen.ndim == 1 else chosen[:, 0]
