"""too many false alarms"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    ordered = np.sort(validation_errors)
    allowed = int(false_alarms * len(ordered) + 1e-9)
    return ordered[len(ordered) - 2 - allowed]
