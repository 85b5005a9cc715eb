"""a smaller error would do"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    ordered = np.sort(validation_errors)
    place = int((1 - false_alarms) * len(ordered))
    return ordered[min(place, len(ordered) - 1)]
