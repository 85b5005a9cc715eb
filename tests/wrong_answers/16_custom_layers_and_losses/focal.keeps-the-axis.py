"""a mean in call breaks weights"""


class FocalLoss(keras.losses.Loss):
    def __init__(self, gamma=2.0, alpha=0.25, reduction="sum_over_batch_size", name="focal"):
        super().__init__(name=name, reduction=reduction)
        self.gamma, self.alpha = gamma, alpha

    def call(self, y_true, y_pred):
        if tuple(y_true.shape) != tuple(y_pred.shape):
            raise ValueError("shapes differ")
        logit = (2 * y_true - 1) * y_pred
        weight = y_true * self.alpha + (1 - y_true) * (1 - self.alpha)
        focus = keras.ops.exp(-self.gamma * keras.ops.softplus(logit))
        return weight * focus * keras.ops.softplus(-logit)

    def get_config(self):
        return super().get_config() | {"gamma": self.gamma, "alpha": self.alpha}
