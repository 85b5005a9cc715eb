"""divide by the number of rows, not one less"""


def global_moments(shards):
    count = sum(len(shard) for shard in shards)
    mean = sum(shard.sum(axis=0) for shard in shards) / count
    squares = sum((shard**2).sum(axis=0) for shard in shards)
    return mean, (squares - count * mean**2) / (count - 1)
