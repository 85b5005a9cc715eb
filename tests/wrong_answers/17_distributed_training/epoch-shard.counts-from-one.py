"""rows are numbered from 0"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng((seed, epoch)).permutation(np.arange(1, count + 1))
    return order[worker::workers]
