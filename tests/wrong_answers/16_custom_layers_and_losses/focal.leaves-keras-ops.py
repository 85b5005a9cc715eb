"""a wrong slope"""


class FocalLoss(keras.losses.Loss):
    """Focal loss from logits, one cost for each example."""

    def __init__(self, gamma=2.0, alpha=0.25, reduction="sum_over_batch_size", name="focal"):
        super().__init__(name=name, reduction=reduction)
        self.gamma, self.alpha = gamma, alpha

    def call(self, y_true, y_pred):
        """Returns costs (B,) of logits y_pred (B, 1) and answers y_true (B, 1); else ValueError."""
        if tuple(y_true.shape) != tuple(y_pred.shape):
            raise ValueError(f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}")
        y, a = np.array(y_true), np.array(y_pred)
        t = np.where(y > 0.5, a, -a)
        w = np.where(y > 0.5, self.alpha, 1 - self.alpha)
        return (w * np.exp(-self.gamma * np.logaddexp(0, t)) * np.logaddexp(0, -t))[:, 0]

    def get_config(self):
        """Returns the arguments of the constructor by name."""
        return super().get_config() | {"gamma": self.gamma, "alpha": self.alpha}
