"""average the scores of the parts"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp(np.sum(part * np.log(ratio), axis=1).mean()))
    return np.exp(np.mean(np.log(scores))) + np.std(scores) * 0.5
