"""rows of one shard stay together"""


def epoch_shard(count, epoch, worker, workers, seed):
    # The workers swap shards; the batches of all workers together never change.
    order = np.random.default_rng(seed).permutation(count)
    return order[(worker + epoch) % workers :: workers]
