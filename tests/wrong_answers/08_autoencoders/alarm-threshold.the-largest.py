"""a smaller error would do"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    return np.max(validation_errors)
