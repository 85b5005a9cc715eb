"""rows of 101 in all"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng((seed, epoch)).permutation(count)
    size = count // workers
    return order[worker * size : (worker + 1) * size]
