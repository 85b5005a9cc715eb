"""average the scores of the parts"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(probabilities, splits):
        scores.append(np.exp(np.mean(stats.entropy(part, part.mean(axis=0)[None], axis=1))))
    return np.median(scores)
