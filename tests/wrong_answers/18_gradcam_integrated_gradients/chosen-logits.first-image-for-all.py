"""the class of the first image was used for all"""


def chosen_logits(logits, class_index=None):
    if class_index is None:
        class_index = logits[0].argmax()
    return logits[np.arange(len(logits)), class_index]
