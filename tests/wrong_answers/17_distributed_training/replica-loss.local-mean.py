"""divide by the global batch, not by the shard"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.reduce_mean(costs) + penalty / replicas
