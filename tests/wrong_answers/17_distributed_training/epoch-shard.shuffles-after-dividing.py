"""shuffle all rows in each, then divide"""


def epoch_shard(count, epoch, worker, workers, seed):
    rows = np.arange(count)[worker::workers]
    return np.random.default_rng((seed, epoch)).permutation(rows)
