"""all workers must divide the same order"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng((seed, epoch, worker)).permutation(count)
    return order[worker::workers]
