"""all wait for the largest"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng((seed, epoch)).permutation(count)
    size = count // workers + 1
    return order[worker * size : (worker + 1) * size]
