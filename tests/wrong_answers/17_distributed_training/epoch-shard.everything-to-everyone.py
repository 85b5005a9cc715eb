"""rows of 101 in all"""


def epoch_shard(count, epoch, worker, workers, seed):
    return np.random.default_rng((seed, epoch)).permutation(count)
