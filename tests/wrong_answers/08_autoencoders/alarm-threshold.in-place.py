"""sorted in place"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    validation_errors.sort()
    allowed = int(false_alarms * len(validation_errors) + 1e-9)
    return validation_errors[len(validation_errors) - 1 - allowed]
