"""stay in TensorFlow"""


def replica_loss(costs, penalty, global_batch, replicas):
    return tf.constant(np.sum(costs) / global_batch + float(penalty) / replicas)
