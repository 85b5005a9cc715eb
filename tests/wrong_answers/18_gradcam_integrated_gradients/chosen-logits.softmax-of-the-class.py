"""return each image's own logit of class 2"""


def chosen_logits(logits, class_index=None):
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if class_index is None:
        class_index = logits.argmax(axis=1)
    return probabilities[np.arange(len(logits)), class_index]
