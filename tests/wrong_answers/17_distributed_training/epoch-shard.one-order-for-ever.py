"""every epoch needs an order of its own"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng(seed).permutation(count)
    return order[worker::workers]
