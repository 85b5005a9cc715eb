"""no mean, deviation or interpolation"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    return np.mean(validation_errors) + 3 * np.std(validation_errors)
