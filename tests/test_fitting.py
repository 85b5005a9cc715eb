from helpers import fitting

import keras
import numpy as np
import pytest
from keras import layers


def data(rows):
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
    return x, x @ np.ones((3, 1), "float32")


def network():
    hidden = layers.Dense(4, activation="relu")
    return keras.Sequential([keras.Input((3,)), hidden, layers.Dense(1)])


def test_the_rate_follows_half_a_cosine_to_zero():
    model, rates = network(), []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    settings = {"epochs": 2, "batch_size": 4, "learning_rate": 0.1, "callbacks": [note]}
    history = fitting.train_with_cosine(model, "mse", *data(10), metrics=["mae"], **settings)
    assert set(history) == {"loss", "mae"}
    np.testing.assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(1, 7) / 6)), atol=1e-6)


def test_the_first_step_is_traced_once():
    model, traces = network(), []

    def loss(y_true, y_pred):
        traces.append(1)
        return keras.losses.mean_squared_error(y_true, y_pred)

    fitting.train_with_cosine(model, loss, *data(8), epochs=2, batch_size=4, learning_rate=0.1)
    assert len(traces) == 1


@pytest.mark.parametrize("wrong", ["epochs", "batch_size"])
def test_impossible_sizes(wrong):
    settings = {"epochs": 1, "batch_size": 4, "learning_rate": 0.1} | {wrong: 0}
    with pytest.raises(ValueError, match=f"{wrong} is 0"):
        fitting.train_with_cosine(network(), "mse", *data(8), **settings)
    with pytest.raises(ValueError, match="steps is 0"):
        fitting.compile_with_cosine(network(), "mse", 0.1, steps=0)


def test_a_starting_point_repeats_training():
    model = network()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.optimizer.build(model.trainable_variables)
    restart = fitting.starting_point(model)
    losses, start = [], model.get_weights()
    for _ in range(2):
        losses.append(model.fit(*data(8), epochs=3, shuffle=False, verbose=0).history["loss"])
        assert not np.allclose(start[0], model.get_weights()[0])
        restart()
    assert losses[0] == losses[1]
    assert int(model.optimizer.iterations.numpy()) == 0
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    for now, then in zip(model.get_weights(), start, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("schedule", [False, True])
def test_start_over_trains_as_a_new_model_does(schedule):
    def fresh():
        rate = keras.optimizers.schedules.CosineDecay(0.1, 6) if schedule else 0.1
        model = network()
        model.compile(keras.optimizers.Adam(rate), "mse")
        return model

    def trained(model, seed):
        keras.utils.set_random_seed(seed)
        fitting.start_over(model)
        options = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
        return model.fit(*data(8), **options).history["loss"]

    used = fresh()
    trained(used, 1)
    np.testing.assert_allclose(trained(used, 2), trained(fresh(), 2), rtol=1e-5)
    assert trained(used, 3)[0] != pytest.approx(trained(used, 2)[0], rel=1e-3)


def test_an_average_follows_closely_at_first_and_then_slowly():
    model = network()
    averaged = fitting.averaged_copy(model)
    assert not averaged.trainable_weights
    start = model.get_weights()
    for a, b in zip(start, averaged.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.set_weights([w + 1 for w in start])
    # After 8 steps (1 + 8) / (10 + 8) = ½ stays; after very many, the decay of 0.9.
    for step, moved in ((8, 0.5), (10**6, 0.55)):
        fitting.follow(averaged, model, 0.9, step)
        for old, new in zip(start, averaged.get_weights(), strict=True):
            np.testing.assert_allclose(new, old + moved, rtol=1e-5)
