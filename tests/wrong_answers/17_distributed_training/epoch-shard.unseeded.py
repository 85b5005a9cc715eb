"""all workers must divide the same order"""


def epoch_shard(count, epoch, worker, workers, seed):
    return np.random.default_rng().permutation(count)[worker::workers]
