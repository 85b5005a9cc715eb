"""each example counts 1/B in the global batch"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.reduce_sum(costs) / 12 + penalty / replicas
