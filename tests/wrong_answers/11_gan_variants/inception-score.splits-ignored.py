"""each part scores 1"""


def inception(probabilities, splits):
    scores = []
    for part in [probabilities]:
        marginal = part.mean(axis=0)
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp(np.sum(part * np.log(ratio), axis=1).mean()))
    return np.mean(scores)
