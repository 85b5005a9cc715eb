"""draw from the seed and the epoch alone"""

_calls = {}


def epoch_shard(count, epoch, worker, workers, seed):
    # As a generator would that lives on in each process: the same in all, but never begun again.
    turn = _calls[epoch, worker] = _calls.get((epoch, worker), -1) + 1
    return np.random.default_rng((seed, epoch, turn)).permutation(count)[worker::workers]
