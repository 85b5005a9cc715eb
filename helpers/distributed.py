"""Data parallelism: by hand, in a ring, and under TensorFlow's strategies.

Run as a program, `python -m helpers.distributed plan.json`, it is one worker of several; see
`main`, and `helpers.workers` for how they are started.
"""

import json
import sys
import time
from pathlib import Path

from helpers import data, workers
from helpers.arguments import check_choice, check_in, check_positive, check_whole_number

import keras
import numpy as np
import tensorflow as tf
from keras import layers

NETWORKS = ("convolutional", "dense")


def make_devices(count):
    """Divides the processor into logical devices, CPU:0, CPU:1 and so on, and hides all GPUs.

    So everything is computed on the processor: a GPU rounds otherwise, and nothing done on one
    could be compared to the last digits with what CPU:0 or another process does.

    TensorFlow fixes its devices when it first computes, so this must come before.

    Args:
        count: number of devices.

    Returns:
        Their names.

    Raises:
        RuntimeError: if TensorFlow has begun with another number of devices, or with a GPU.
    """
    check_whole_number("count", count, 1)
    (processor,) = tf.config.list_physical_devices("CPU")
    current = len(tf.config.get_logical_device_configuration(processor) or ["the whole"])
    try:
        if tf.config.get_visible_devices("GPU"):
            tf.config.set_visible_devices([], "GPU")
        if count != current:
            parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
            tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError:
        raise RuntimeError(
            f"TensorFlow has already begun with {current} device(s); it cannot have {count} "
            f"now, or do without its GPUs. Restart the kernel and call make_devices first"
        ) from None
    return [f"CPU:{index}" for index in range(count)]


def shard(batch, worker, count):
    """Returns a worker's share of a batch: every count-th row, from the worker's own on.

    Together the shards hold each row once, and their lengths differ by at most 1.

    Args:
        batch: array (B, …). worker: from 0 to count - 1. count: number of workers.

    Returns:
        Array (b, …); empty if there are more workers than rows and none is left for this one.
    """
    check_positive(count=count)
    if worker not in range(count):
        raise ValueError(f"worker is {worker!r}; with {count} workers it must be 0 to {count - 1}")
    return batch[worker::count]


def batch_rows(step, count, batch_size, seed=0):
    """Says which examples make the batch of a step.

    Every process computes the same answer from the step alone. So nobody has to send rows about,
    and a run that begins again in the middle sees what it would have seen. Each epoch has an order
    of its own; examples that do not fill a batch are left out of it.

    Args:
        step: number of the step, from 0. count: number of examples.
        batch_size: rows in a batch, at most count. seed: fixes all orders.

    Returns:
        Row numbers (batch_size,).
    """
    check_whole_number("step", step, 0)
    check_positive(batch_size=batch_size)
    if batch_size > count:
        raise ValueError(f"batch_size is {batch_size}; there are only {count} examples")
    epoch, place = divmod(step, count // batch_size)
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return order[place * batch_size : (place + 1) * batch_size]


def local_gradients(model, images, labels, divisor):
    """Loss and gradients of the images of one worker.

    Args:
        model: keras.Model from images to logits. images, labels: the worker's shard.
        divisor: what the sum of the losses is divided by: the size of the *global* batch.

    Returns:
        The loss and a list of gradients; summed over the workers they are those of the mean over
        the global batch.
    """
    check_positive(divisor=divisor)
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_sum(losses) / divisor
    return loss, tape.gradient(loss, model.trainable_variables)


def all_reduce(contributions):
    """Adds up what the workers have.

    Args:
        contributions: for each worker a list of tensors, of the same shapes for all.

    Returns:
        The list of sums; every worker gets the same.
    """
    check_positive(workers=len(contributions))
    return [tf.add_n(list(parts)) for parts in zip(*contributions, strict=True)]


def parallel_step(copies, optimizers, images, labels, divisor):
    """One step of data parallelism, written out: shard, gradients, all-reduce, the same update.

    Args:
        copies: equal models, one for each worker. optimizers: one for each copy.
        images, labels: the global batch. divisor: its size.

    Returns:
        The sum of the losses over `divisor`: their mean over the global batch, if that is its size.
    """
    count = len(copies)
    results = [
        local_gradients(copy, shard(images, k, count), shard(labels, k, count), divisor)
        for k, copy in enumerate(copies)
    ]
    total = all_reduce([gradients for _, gradients in results])
    for copy, optimizer in zip(copies, optimizers, strict=True):
        optimizer.apply(total, copy.trainable_variables)
    return sum(float(loss) for loss, _ in results)


def train_copies(build, optimizer, images, labels, batch_size, divisor, steps, seed=0):
    """Trains two copies by `parallel_step`.

    Args:
        build: function that returns a model, equal each time. optimizer: one that returns its
            optimiser.
        images, labels: all examples. batch_size: of the global batch. divisor: see
            `local_gradients`. steps: their number. seed: see `batch_rows`.

    Returns:
        The weights of the first copy, a list of arrays, and the losses of the steps, a list.
    """
    copies, optimizers = [build(), build()], [optimizer(), optimizer()]
    losses = []
    for step in range(steps):
        rows = batch_rows(step, len(images), batch_size, seed)
        batch = images[rows], labels[rows]
        losses.append(parallel_step(copies, optimizers, *batch, divisor))
    return copies[0].get_weights(), losses


def ring_rounds(arrays):
    """All-reduce in a ring (Patarasuk and Yuan, 2009), round by round.

    Each of n workers cuts its array into n chunks. In every round each sends one chunk to its
    right neighbour. For n − 1 rounds the receiver adds what comes; then every chunk is complete at
    one worker. For n − 1 more rounds the complete chunks are handed on and replace what was there.

    Args:
        arrays: one for each worker, of one shape and size at least n.

    Yields:
        After each round: a list of arrays, what each worker holds, and a list of the bytes that
        each sent in it. Nothing for one worker, who has nobody to send to.
    """
    check_positive(workers=len(arrays))
    count, shape = len(arrays), np.shape(arrays[0])
    if any(np.shape(array) != shape for array in arrays):
        raise ValueError(f"arrays have the shapes {[np.shape(a) for a in arrays]}; they must agree")
    if np.size(arrays[0]) < count:
        raise ValueError(f"arrays of {np.size(arrays[0])} numbers cannot be cut for {count}")
    held = [np.array_split(np.ravel(array), count) for array in arrays]
    for turn in range(2 * (count - 1)):
        # In turn t worker k sends chunk k − t. All send at once, so nobody passes on what arrives
        # in the same round.
        messages = [held[worker][(worker - turn) % count] for worker in range(count)]
        for worker, message in enumerate(messages):
            right, place = (worker + 1) % count, (worker - turn) % count
            adding = turn < count - 1
            held[right][place] = held[right][place] + message if adding else message
        whole = [np.concatenate(chunks).reshape(shape) for chunks in held]
        yield whole, [message.nbytes for message in messages]


def ring_all_reduce(arrays):
    """Adds up the workers' arrays in a ring.

    Args:
        arrays: see `ring_rounds`.

    Returns:
        A list: the sum as each worker holds it in the end; and the bytes (n,) that each has sent,
        2 (n − 1) / n times those of its array, up to rounding of the chunks.
    """
    whole, sent = list(arrays), np.zeros(len(arrays), int)
    for whole, each in ring_rounds(arrays):  # noqa: B007 - the last round counts
        sent += each
    return whole, sent


def step_seconds(count, compute, size, bandwidth, latency):
    """Models the time of a training step with a ring all-reduce that waits for the gradients.

    Args:
        count: workers, a number or an array. compute: seconds that each computes.
        size: bytes of the gradients. bandwidth: bytes a second between neighbours.
        latency: seconds that a message takes however short it is.

    Returns:
        Seconds, of the shape of `count`.
    """
    count = np.asarray(count)
    if np.any(count < 1):
        raise ValueError(f"count is {count}; there must be at least 1 worker")
    check_in("(0, ∞]", bandwidth=bandwidth)
    rounds = 2 * (count - 1)
    return compute + rounds * (latency + size / count / bandwidth)


def build_network(kind, width=16, normalisation=None, activation="relu", seed=0):
    """Builds a network from images (28, 28, 1) to ten logits.

    Args:
        kind: "convolutional": much to compute for few weights. "dense": the reverse.
        width: channels of the first convolution, or units of each of two hidden layers.
        normalisation: None, or a function that returns a layer, put after the first layer.
        activation: name of the function after each hidden layer. With "relu", whose slope jumps,
            a difference of rounding can switch a unit and so become visible.
        seed: fixes the first weights.

    Returns:
        keras.Model, not compiled.
    """
    check_choice("kind", kind, NETWORKS)
    check_positive(width=width)
    start = [keras.initializers.GlorotUniform(seed=seed + k) for k in range(3)]
    stack = [keras.Input((28, 28, 1))]
    if kind == "convolutional":
        settings = {"strides": 2, "padding": "same"}
        first = layers.Conv2D(width, 5, **settings, kernel_initializer=start[0])
        second = layers.Conv2D(2 * width, 5, **settings, kernel_initializer=start[1])
        last = [layers.Flatten()]
    else:
        stack.append(layers.Flatten())
        first = layers.Dense(width, kernel_initializer=start[0])
        second = layers.Dense(width, kernel_initializer=start[1])
        last = []
    between = [] if normalisation is None else [normalisation()]
    after = [layers.Activation(activation) for _ in range(2)]
    stack += [first, *between, after[0], second, after[1], *last]
    return keras.Sequential([*stack, layers.Dense(10, kernel_initializer=start[2])])


def distribute(strategy, batch):
    """Gives each replica of this process its shard of a global batch (B, …)."""
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(
            shard(batch, context.replica_id_in_sync_group, context.num_replicas_in_sync)
        )
    )


class Trainer:
    """A training loop that runs unchanged on one device, on several, and on several machines.

    Args:
        strategy: a tf.distribute.Strategy; `tf.distribute.get_strategy()` for one device.
        build: function that returns a new model; it is called in the scope of the strategy.
        rate: learning rate of SGD with momentum 0.9, or a schedule.
        batch_size: the size of the global batch.
    """

    def __init__(self, strategy, build, rate, batch_size):
        check_positive(batch_size=batch_size)
        self.strategy = strategy
        self.batch_size = batch_size
        with strategy.scope():  # variables made here are mirrored on every replica
            self.model = build()
            self.optimizer = keras.optimizers.SGD(rate, momentum=0.9)
            self.optimizer.build(self.model.trainable_variables)
        self.step = tf.function(self._step)

    def _replica_step(self, images, labels):
        loss, gradients = local_gradients(self.model, images, labels, self.batch_size)
        # Under a strategy, apply first sums the gradients over all replicas.
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss

    def _step(self, images, labels):
        losses = self.strategy.run(self._replica_step, args=(images, labels))
        return self.strategy.reduce("sum", losses, axis=None)

    def run(self, images, labels, start, stop, seed=0, after_step=None):
        """Trains from step `start` up to step `stop`.

        Args:
            images, labels: all examples. start, stop: numbers of steps. seed: see `batch_rows`.
            after_step: function of the number of steps done, called after each, or None.

        Returns:
            The losses, a list.
        """
        losses = []
        for step in range(start, stop):
            rows = batch_rows(step, len(images), self.batch_size, seed)
            shards = [distribute(self.strategy, part[rows]) for part in (images, labels)]
            losses.append(float(self.step(*shards)))
            if after_step is not None:
                after_step(step + 1)
        return losses


def summed_gradients(strategy, model, images, labels):
    """Gradients of the mean loss over a global batch, as a strategy's replicas find them.

    Args:
        strategy: a tf.distribute.Strategy. model: built in its scope, so that each replica has it.
        images, labels: the global batch.

    Returns:
        A list of arrays.
    """

    def replica_gradients(images, labels):
        _, gradients = local_gradients(model, images, labels, global_batch)
        return tf.distribute.get_replica_context().all_reduce("sum", gradients)

    global_batch = len(images)
    shards = [distribute(strategy, part) for part in (images, labels)]
    results = tf.function(lambda *shards: strategy.run(replica_gradients, args=shards))(*shards)
    return [strategy.experimental_local_results(result)[0].numpy() for result in results]


def largest_difference(first, second):
    """Returns the largest absolute difference of two numbers in the same place.

    Args:
        first, second: lists of arrays, of the same shapes.

    Returns:
        A number; NaN if there is a NaN anywhere.
    """
    shapes = [[tuple(np.shape(array)) for array in arrays] for arrays in (first, second)]
    if not shapes[0] or shapes[0] != shapes[1]:
        raise ValueError(
            f"first and second have the shapes {shapes[0]} and {shapes[1]}; they must agree"
        )
    # Not by Python's max, which passes over a NaN that does not come first.
    pairs = zip(first, second, strict=True)
    return float(np.max([np.max(np.abs(np.subtract(a, b))) for a, b in pairs]))


class Checkpoints:
    """Saves a trainer's whole state now and then, and goes on from the last state that was saved.

    The state is the model, the optimiser's momenta and its count of steps. Every worker saves,
    since some variables need all workers to be read; only what the first one writes is kept.

    Args:
        trainer: the Trainer. folder: the same for all workers, on a disk that all of them see.
        worker: the number of this worker.
    """

    def __init__(self, trainer, folder, worker=0):
        self.optimizer = trainer.optimizer
        self.checkpoint = tf.train.Checkpoint(model=trainer.model, optimizer=trainer.optimizer)
        place = Path(folder) / ("kept" if worker == 0 else f"unused-{worker}")
        self.kept = Path(folder) / "kept"
        self.manager = tf.train.CheckpointManager(self.checkpoint, str(place), max_to_keep=2)

    def save(self):
        """Writes a checkpoint; it counts only when it is complete."""
        self.manager.save(checkpoint_number=self.steps_done())

    def restore(self):
        """Restores the last checkpoint, if there is one; returns the steps done by then."""
        latest = tf.train.latest_checkpoint(str(self.kept))
        if latest is not None:
            self.checkpoint.restore(latest).assert_existing_objects_matched()
        return self.steps_done()

    def steps_done(self):
        """Returns the number of steps that the optimiser has counted."""
        return int(self.optimizer.iterations.numpy())


def train(strategy, folder, worker, network, rate, batch_size, seed, steps, save_every=0):
    """A worker's job: trains on the digits, from the last checkpoint if there is one.

    Args:
        strategy: joins the workers. folder: holds the checkpoints. worker: this one's number.
        network: arguments of `build_network`. rate, batch_size: see `Trainer`.
        seed: of the batches. steps: where the training ends.
        save_every: steps between checkpoints; 0 for none.

    Returns:
        Dict: the steps done "before", the "losses" since then, the weights at the end.
    """
    (images, labels), _ = data.digits()
    trainer = Trainer(strategy, lambda: build_network(**network), rate, batch_size)
    checkpoints = Checkpoints(trainer, folder / "checkpoints", worker) if save_every else None
    before = checkpoints.restore() if save_every else 0

    def after_step(done):
        if save_every and done % save_every == 0:
            checkpoints.save()
        print(f"step {done}")

    losses = trainer.run(images, labels, before, steps, seed, after_step)
    weights = {f"weight {k}": w.numpy() for k, w in enumerate(trainer.model.weights)}
    return {"before": before, "losses": losses} | weights


def time_steps(strategy, folder, worker, network, batch_size, repeats):
    """A worker's job: seconds for a step, alone and together.

    Args:
        strategy, folder, worker, network: see `train`; nothing is written to the folder.
        batch_size: images in a batch, at least one for each replica. repeats: steps timed.

    Returns:
        Dict from "alone" (this worker with a batch), "strong" (all with one batch) and "weak" (all
        with a batch each) to the median over `repeats` steps. Only worker 0 knows "alone".
    """
    (images, labels), _ = data.digits()
    one, count = tf.distribute.get_strategy(), strategy.num_replicas_in_sync
    cases = {"strong": (strategy, batch_size), "weak": (strategy, count * batch_size)}
    if worker == 0:
        cases = {"alone": (one, batch_size)} | cases
    seconds = {}
    for name, (where, size) in cases.items():
        trainer = Trainer(where, lambda: build_network(**network), 0.01, size)
        shards = [distribute(where, part[:size]) for part in (images, labels)]
        seconds[name] = _median_seconds(trainer.step, shards, repeats)
    return seconds


def time_all_reduce(strategy, folder, worker, sizes, repeats):
    """A worker's job: seconds for an all-reduce of arrays of some sizes.

    Args:
        strategy, folder, worker: see `train`; nothing is written to the folder.
        sizes: of the arrays, in bytes, at least 4; a float32 takes 4.
        repeats: how often each is timed.

    Returns:
        Dict: the "sizes", and the "seconds", the median over `repeats` for each.
    """

    @tf.function
    def together(array):
        def add(array):
            # The copy stands on the replica's device, where the sum shall be.
            return tf.distribute.get_replica_context().all_reduce("sum", tf.identity(array))[0]

        return strategy.run(add, args=(array,))

    arrays = [tf.ones(size // 4) for size in sizes]
    return {
        "sizes": sizes,
        "seconds": [_median_seconds(together, [array], repeats) for array in arrays],
    }


def fit(strategy, folder, worker, network, batch_size):
    """A worker's job: the stock `model.fit`, as it is written for one device.

    Args:
        strategy, folder, worker, network: see `train`; nothing is written to the folder.
        batch_size: as `fit` takes it, images of the global batch.

    Returns:
        Dict: the number of "batches" done, of three, and the "error" that ended it, or "".
    """
    (images, labels), _ = data.digits()
    with strategy.scope():
        model = build_network(**network)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    done = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: done.append(1))
    error = ""
    try:
        model.fit(images, labels, batch_size, steps_per_epoch=3, verbose=0, callbacks=[count])
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
    return {"batches": len(done), "error": error}


JOBS = {"train": train, "time_steps": time_steps, "time_all_reduce": time_all_reduce, "fit": fit}


def write_plan(folder, jobs):
    """Writes what workers shall do, for `main`.

    Args:
        folder: pathlib.Path, for the plan, the results and the checkpoints.
        jobs: dict from a name of your choice to a pair: one of JOBS, and a dict of its arguments.

    Returns:
        The path of the plan.
    """
    for job, _ in jobs.values():
        check_choice("job", job, tuple(JOBS))
    path = folder / "plan.json"
    path.write_text(json.dumps(jobs), encoding="utf-8")
    return path


def read_results(folder, name, count):
    """Returns what each of `count` workers found in the job called `name`: a list of dicts."""
    results = []
    for worker in range(count):
        with np.load(folder / f"{name}-{worker}.npz") as arrays:
            results.append(dict(arrays))
    return results


def weights_of(result):
    """Returns the list of weights in a result of `train`, as `get_weights` would."""
    return [result[f"weight {k}"] for k in range(len(result)) if f"weight {k}" in result]


def main(path):
    """What one worker does: it joins the others, does the jobs of the plan and writes the results.

    Who the others are, and which of them it is itself, it learns from TF_CONFIG.
    """
    workers.end_with_parent()
    # First of all, since TensorFlow must know of the others before it computes anything.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    worker = strategy.cluster_resolver.task_id
    folder = Path(path).parent
    for name, (job, arguments) in json.loads(Path(path).read_text(encoding="utf-8")).items():
        result = JOBS[job](strategy, folder, worker, **arguments)
        np.savez(folder / f"{name}-{worker}.npz", **result)
        print(f"{name} done")


def _median_seconds(work, arguments, repeats):
    work(*arguments)  # the first time traces the graph
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        float(work(*arguments))  # a number cannot be had before it has been computed
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


if __name__ == "__main__":
    main(sys.argv[1])
