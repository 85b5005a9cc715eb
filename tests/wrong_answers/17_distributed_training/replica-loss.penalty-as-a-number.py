"""no gradient reaches the penalty"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.reduce_sum(costs) / global_batch + float(penalty) / replicas
