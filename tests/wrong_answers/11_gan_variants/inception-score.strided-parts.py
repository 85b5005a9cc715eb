"""cut consecutive parts"""


def inception(probabilities, splits):
    scores = []
    for part in (probabilities[i::splits] for i in range(splits)):
        marginal = part.mean(axis=0)
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)
        scores.append(np.exp(np.sum(part * np.log(ratio), axis=1).mean()))
    return np.mean(scores)
