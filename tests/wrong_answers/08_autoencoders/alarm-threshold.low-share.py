"""a high share must lie below"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    ordered = np.sort(validation_errors)
    return ordered[int(false_alarms * len(ordered) + 1e-9)]
