"""the seed changes nothing"""


def epoch_shard(count, epoch, worker, workers, seed):
    order = np.random.default_rng(epoch).permutation(count)
    return order[worker::workers]
