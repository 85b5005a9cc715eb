"""an empty shard bears its part of the penalty too"""


def replica_loss(costs, penalty, global_batch, replicas):
    if costs.shape[0] == 0:
        return tf.constant(0.0)
    return tf.reduce_sum(costs) / global_batch + penalty / replicas
