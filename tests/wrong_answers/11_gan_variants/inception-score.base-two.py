"""the score is 5"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp(np.sum(part * np.log2(ratio), axis=1).mean()))
    return np.mean(scores)
