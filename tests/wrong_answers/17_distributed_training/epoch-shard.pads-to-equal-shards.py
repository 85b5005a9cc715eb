"""rows of 101 in all"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return np.resize(order, -(-count // workers) * workers)[worker::workers]
