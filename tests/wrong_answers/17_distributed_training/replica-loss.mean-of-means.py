"""averages of averages"""


def replica_loss(costs, penalty, global_batch, replicas):
    return (tf.reduce_mean(costs) + penalty) / replicas
