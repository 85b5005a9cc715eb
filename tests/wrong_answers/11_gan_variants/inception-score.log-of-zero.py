"""log 0 made it NaN"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.sum(part * (np.log(part) - np.log(marginal)), axis=1).mean()))
    return np.mean(scores)
