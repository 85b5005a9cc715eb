"""mean of squares less the squared mean"""


def global_moments(shards):
    count = sum(len(shard) for shard in shards)
    mean = sum(shard.sum(axis=0) for shard in shards) / count
    return mean, sum((shard**2).sum(axis=0) for shard in shards) / count
