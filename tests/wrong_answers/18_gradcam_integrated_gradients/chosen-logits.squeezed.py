"""a batch of one image is a batch"""


def chosen_logits(logits, class_index=None):
    if class_index is None:
        class_index = logits.argmax(axis=1)
    class_index = np.broadcast_to(class_index, len(logits))
    return np.take_along_axis(logits, class_index[:, None], axis=1).squeeze()
