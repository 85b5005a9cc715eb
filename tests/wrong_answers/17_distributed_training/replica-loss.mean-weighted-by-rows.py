"""the mean of nothing is NaN"""


def replica_loss(costs, penalty, global_batch, replicas):
    rows = tf.cast(tf.size(costs), costs.dtype)
    return tf.reduce_mean(costs) * rows / global_batch + penalty / replicas
