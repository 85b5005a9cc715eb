"""that is batch normalisation per replica"""


def global_moments(shards):
    count = sum(len(shard) for shard in shards)
    mean = sum(shard.sum(axis=0) for shard in shards) / count
    return mean, sum(len(shard) * shard.var(axis=0) for shard in shards) / count
