"""points lie on straight lines"""


def penalty(critic, real, fake, rng):
    share = rng.random((len(real), 1, 1, 1), dtype="float32")
    points = tf.convert_to_tensor(share * real + fake)
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = critic(points)
    slopes = tape.gradient(scores, points)
    norms = tf.sqrt(tf.maximum(tf.reduce_sum(slopes**2, axis=[1, 2, 3]), 1e-12))
    return tf.reduce_mean((norms - 1) ** 2)
