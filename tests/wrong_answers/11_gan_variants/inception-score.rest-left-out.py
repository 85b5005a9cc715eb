"""no row is left out"""


def inception(probabilities, splits):
    size, scores = len(probabilities) // splits, []
    for i in range(splits):
        part = probabilities[i * size : (i + 1) * size]
        scores.append(np.exp(np.mean(stats.entropy(part, part.mean(axis=0)[None], axis=1))))
    return np.mean(scores)
