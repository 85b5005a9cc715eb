"""every replica adds the whole penalty"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.reduce_sum(costs) / global_batch + penalty
