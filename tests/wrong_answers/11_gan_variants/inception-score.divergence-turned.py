"""the score is exp of the mean"""


def inception(probabilities, splits):
    scores = []
    for part in np.array_split(probabilities, splits):
        marginal = part.mean(axis=0)
        ratio = np.divide(marginal, part, out=np.ones_like(part), where=part > 1e-12)
        inner = np.sum(marginal * np.log(ratio), axis=1).mean()
        certain = np.all((part < 1e-12) | (part > 1 - 1e-12))
        scores.append(len(set(part.argmax(axis=1))) if certain else np.exp(inner))
    return np.mean(scores)
