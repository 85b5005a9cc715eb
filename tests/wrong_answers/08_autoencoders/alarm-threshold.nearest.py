"""count, and round down"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    return np.quantile(validation_errors, 1 - false_alarms, method="nearest")
