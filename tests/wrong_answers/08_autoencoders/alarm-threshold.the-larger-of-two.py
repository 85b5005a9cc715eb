"""use unseen images alone"""


def alarm_threshold(training_errors, validation_errors, false_alarms):
    def of(errors):
        return np.sort(errors)[len(errors) - 1 - int(false_alarms * len(errors) + 1e-9)]

    return max(of(training_errors), of(validation_errors))
