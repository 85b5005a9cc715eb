"""an N × N matrix"""


class FocalLoss(keras.losses.Loss):
    """Focal loss from logits, one cost for each example."""

    def __init__(self, gamma=2.0, alpha=0.25, reduction="sum_over_batch_size", name="focal"):
        super().__init__(name=name, reduction=reduction)
        self.gamma, self.alpha = gamma, alpha

    def call(self, y_true, y_pred):
        """Returns costs (B,) of logits y_pred (B, 1) and answers y_true (B, 1); else ValueError."""
        if len(y_true.shape) != len(y_pred.shape):
            raise ValueError(f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}")
        logit = (2 * y_true - 1) * y_pred
        weight = y_true * self.alpha + (1 - y_true) * (1 - self.alpha)
        focus = keras.ops.exp(-self.gamma * keras.ops.softplus(logit))
        return (weight * focus * keras.ops.softplus(-logit))[:, 0]

    def get_config(self):
        """Returns the arguments of the constructor by name."""
        return super().get_config() | {"gamma": self.gamma, "alpha": self.alpha}
