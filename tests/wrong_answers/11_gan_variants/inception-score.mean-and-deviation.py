"""return one number"""


def inception(probabilities, splits):
    return metrics.inception_score(probabilities, splits)
