"""sort them"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    place = len(validation_errors) - 1 - int(false_alarms * len(validation_errors))
    return validation_errors[place]
