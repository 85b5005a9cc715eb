"""gradients are summed"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.reduce_sum(costs) + penalty / replicas
