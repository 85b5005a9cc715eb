"""the score is 5"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(np.clip(probabilities, 1e-2, 1), splits):
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.sum(part * np.log(part / marginal), axis=1).mean()))
    return np.mean(scores)
