"""Agents against brute-force sums, single environments stepped one by one, and closed forms."""

from helpers import reinforcement

import gymnasium as gym
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

NUMBERS = st.floats(-10, 10)
SHARES = st.floats(0, 1)


@st.composite
def experience(draw, arrays=1):
    """Arrays (T, N) of numbers, and which steps terminated or were truncated."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 3)))
    numbers = [draw(hnp.arrays(float, shape, elements=NUMBERS)) for _ in range(arrays)]
    terminated = draw(hnp.arrays(bool, shape))
    truncated = draw(hnp.arrays(bool, shape)) & ~terminated
    return *numbers, terminated, truncated


def push_right(states):
    return np.ones(len(states), int)


def alternate():
    """Pushes that balance for a while: against the lean of the pole."""
    return lambda states: (states[:, 2] + 0.3 * states[:, 3] > 0).astype(int)


class TestReturns:
    @given(experience(), SHARES)
    def test_are_the_sums_of_their_definition(self, data, gamma):
        rewards, terminated, truncated = data
        ended = terminated | truncated
        found = reinforcement.discounted_returns(rewards, ended, gamma)
        for t, n in np.ndindex(rewards.shape):
            total, factor = 0.0, 1.0
            for k in range(t, len(rewards)):
                total += factor * rewards[k, n]
                factor *= gamma
                if ended[k, n]:
                    break
            assert found[t, n] == pytest.approx(total, abs=1e-9)

    def test_of_one_environment(self):
        found = reinforcement.discounted_returns([1, 1, 4], [False, True, True], 0.5)
        np.testing.assert_allclose(found, [1.5, 1, 4])

    def test_refuse_other_shapes(self):
        with pytest.raises(ValueError, match=r"rewards \(3,\), ended \(2,\)"):
            reinforcement.discounted_returns(np.ones(3), np.zeros(2, bool), 0.9)

    def test_refuse_a_single_number(self):
        with pytest.raises(ValueError, match="rewards is a single number"):
            reinforcement.discounted_returns(1.0, True, 0.9)

    @pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
    def test_refuse_a_discount_outside(self, gamma):
        with pytest.raises(ValueError, match=f"gamma is {gamma}"):
            reinforcement.discounted_returns(np.ones(3), np.zeros(3, bool), gamma)


class TestTargets:
    def test_by_hand(self):
        found = reinforcement.td_targets(
            np.array([1.0, 1.0, -2.0]), np.array([False, True, False]), np.array([10.0, 10, 4]), 0.5
        )
        np.testing.assert_allclose(found, [6, 1, 0])

    def test_what_follows_a_termination_may_be_nonsense(self):
        found = reinforcement.td_targets(np.ones(1), np.array([True]), np.array([np.nan]), 0.9)
        np.testing.assert_allclose(found, [1])

    def test_rewards_of_numpy_go_with_values_of_a_network(self):
        # NumPy's numbers are float64, those of a network float32.
        found = reinforcement.td_targets([1.0, 2.0], [False, True], tf.constant([4.0, 4.0]), 0.5)
        np.testing.assert_allclose(found, [3, 2])
        found = reinforcement.td_targets(
            np.array([1.0, 2.0]), np.array([False, True]), tf.constant([4.0, 4.0]), 0.5
        )
        np.testing.assert_allclose(found, [3, 2])

    def test_refuse_to_broadcast(self):
        rewards, terminated = np.ones(3), np.zeros(3, bool)
        with pytest.raises(ValueError, match=r"rewards \(3,\).*next_values \(3, 1\)"):
            reinforcement.td_targets(rewards, terminated, np.ones((3, 1)), 0.9)
        with pytest.raises(ValueError, match=r"online \(3, 2\), target \(3, 1\)"):
            reinforcement.double_q_values(np.ones((3, 2)), np.ones((3, 1)))
        with pytest.raises(ValueError, match=r"target has shape \(3,\)"):
            reinforcement.double_q_values(np.ones(3), np.ones(3))

    def test_refuse_a_discount_outside(self):
        with pytest.raises(ValueError, match="gamma is 1.5"):
            reinforcement.td_targets(np.ones(1), np.zeros(1, bool), np.ones(1), 1.5)

    def test_double_q_takes_the_choice_of_one_and_the_value_of_the_other(self):
        online = np.array([[1.0, 2.0, 0.0], [5.0, 4.0, 3.0]], "float32")
        target = np.array([[9.0, 3.0, 7.0], [-1.0, 8.0, 8.0]], "float32")
        np.testing.assert_allclose(reinforcement.double_q_values(online, target), [3, -1])

    def test_double_q_overestimates_less(self):
        # All true values are 0: the largest of ten noisy ones is 1.54 on average, the value by
        # independent noise is 0.
        rng = np.random.default_rng(0)
        online, target = rng.normal(size=(2, 4000, 10)).astype("float32")
        single = np.mean(reinforcement.double_q_values(target, target))
        double = np.mean(reinforcement.double_q_values(online, target))
        assert single == pytest.approx(1.539, abs=0.06)
        assert double == pytest.approx(0, abs=0.06)


class TestAdvantages:
    @given(experience(arrays=3), SHARES, SHARES)
    def test_are_the_sums_of_their_definition(self, data, gamma, decay):
        rewards, values, next_values, terminated, truncated = data
        ended = terminated | truncated
        found = reinforcement.generalised_advantages(
            rewards, values, next_values, terminated, ended, gamma, decay
        )
        for t, n in np.ndindex(rewards.shape):
            total = 0.0
            for k in range(t, len(rewards)):
                following = 0.0 if terminated[k, n] else next_values[k, n]
                error = rewards[k, n] + gamma * following - values[k, n]
                total += (gamma * decay) ** (k - t) * error
                if ended[k, n]:
                    break
            assert found[t, n] == pytest.approx(total, abs=1e-8)

    @given(experience(arrays=2), st.floats(0, 0.99))
    def test_with_decay_one_are_returns_less_values(self, data, gamma):
        rewards, values, _, _ = data
        terminated = np.zeros(rewards.shape, bool)
        terminated[-1] = True
        next_values = np.concatenate([values[1:], values[:1]])
        found = reinforcement.generalised_advantages(
            rewards, values, next_values, terminated, terminated, gamma, 1.0
        )
        returns = reinforcement.discounted_returns(rewards, terminated, gamma)
        np.testing.assert_allclose(found, returns - values, atol=1e-7)

    def test_refuse_bad_input(self):
        five = [np.ones((2, 2))] * 3 + [np.zeros((2, 2), bool)] * 2
        with pytest.raises(ValueError, match="decay is 2"):
            reinforcement.generalised_advantages(*five, 0.9, 2)
        with pytest.raises(ValueError, match=r"values \(3, 2\)"):
            reinforcement.generalised_advantages(five[0], np.ones((3, 2)), *five[2:], 0.9, 0.9)


class TestEnvironments:
    @pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
    def test_valid_steps_are_those_of_single_environments(self, name):
        limit = 30
        world = reinforcement.Environments(name, 3, seed=4, limit=limit)
        rng = np.random.default_rng(0)
        actions = rng.integers(world.action_count, size=(100, 3))
        turn = iter(actions)
        rollout = world.collect(100, lambda states: next(turn))
        single = gym.make(name, max_episode_steps=limit)
        single.reset(seed=0)
        for n in range(3):
            fresh, age, count = True, 0, 0
            for t in range(100):
                if not rollout.valid[t, n]:
                    assert rollout.rewards[t, n] == 0
                    assert not rollout.ended[t, n]
                    fresh = True
                    continue
                if fresh:
                    # Put the single environment where this copy's episode begins.
                    single.reset()
                    self.place(single, name, rollout.states[t, n])
                    fresh, age = False, 0
                age += 1
                count += 1
                state, reward, terminated, truncated, _ = single.step(int(rollout.actions[t, n]))
                np.testing.assert_allclose(rollout.next_states[t, n], state, atol=1e-4)
                assert rollout.rewards[t, n] == reward
                assert rollout.terminated[t, n] == terminated
                assert rollout.truncated[t, n] == (age == limit and not terminated)
                if terminated or age == limit:
                    assert t == 99 or not rollout.valid[t + 1, n]
            assert count > 60
        assert world.steps == rollout.valid.sum()

    @staticmethod
    def place(single, name, state):
        if name == "CartPole-v1":
            single.unwrapped.state = state.astype(float)
        else:
            angles = np.arctan2(state[1], state[0]), np.arctan2(state[3], state[2])
            single.unwrapped.state = np.array([*angles, *state[4:]], float)

    def test_history_is_the_length_of_the_episodes(self):
        world = reinforcement.Environments("CartPole-v1", 5, seed=1)
        rollout = world.collect(80, push_right)
        lengths = []
        for n in range(5):
            age = 0
            for t in range(80):
                age += rollout.valid[t, n]
                if rollout.ended[t, n]:
                    lengths.append(age)
                    age = 0
        assert sorted(score for _, score in world.history) == sorted(lengths)
        steps = [step for step, _ in world.history]
        assert steps == sorted(steps)
        assert steps[-1] <= world.steps

    def test_collect_goes_on_where_it_stopped(self):
        one, two = (reinforcement.Environments("CartPole-v1", 4, seed=3) for _ in range(2))
        whole = one.collect(40, push_right)
        parts = [two.collect(count, push_right) for count in (7, 33)]
        for field, truth in zip(reinforcement.Rollout._fields, whole, strict=True):
            joined = np.concatenate([getattr(part, field) for part in parts])
            np.testing.assert_array_equal(joined, truth, field)

    def test_episodes_are_whole_and_one_a_copy(self):
        world = reinforcement.Environments("CartPole-v1", 6, seed=2, limit=60)
        world.collect(13, push_right)
        rollout = world.episodes(alternate())
        np.testing.assert_array_equal(rollout.ended.sum(axis=0), 1)
        np.testing.assert_array_equal(rollout.valid.sum(axis=0), rollout.ended.argmax(axis=0) + 1)
        np.testing.assert_array_equal(rollout.rewards, rollout.valid)
        assert np.abs(rollout.states[0]).max() <= 0.05, "an episode starts near the middle"

    def test_evaluation_counts_steps_and_is_repeatable(self):
        scores = reinforcement.evaluate(alternate(), episodes=7, seed=5, limit=50)
        assert scores.shape == (7,)
        np.testing.assert_array_equal(
            scores, reinforcement.evaluate(alternate(), episodes=7, seed=5, limit=50)
        )
        assert np.all(reinforcement.evaluate(push_right, episodes=7) < 12)

    @pytest.mark.parametrize("argument", ["count", "limit"])
    def test_refuse_nothing(self, argument):
        with pytest.raises(ValueError, match=f"{argument} is 0"):
            reinforcement.Environments(**{argument: 0})

    def test_refuse_no_steps_and_no_episodes(self):
        with pytest.raises(ValueError, match="steps is 0"):
            reinforcement.Environments("CartPole-v1", 2).collect(0, push_right)
        with pytest.raises(ValueError, match="episodes is 0"):
            reinforcement.evaluate(push_right, episodes=0)

    @pytest.mark.parametrize("answer", [1, np.ones((2, 1), int), np.ones(3, int)])
    def test_refuse_anything_but_one_action_for_each_state(self, answer):
        world = reinforcement.Environments("CartPole-v1", 2)
        with pytest.raises(ValueError, match=r"act gave actions of shape .*\(2,\)"):
            world.collect(1, lambda states: answer)

    def test_refuse_states_that_are_no_vectors(self):
        with pytest.raises(ValueError, match=r"FrozenLake-v1.*Discrete.*must be a Box"):
            reinforcement.Environments("FrozenLake-v1", 2)

    def test_refuse_actions_that_cannot_be_counted(self):
        with pytest.raises(ValueError, match=r"Pendulum-v1.*must be Discrete"):
            reinforcement.Environments("Pendulum-v1", 2)


class TestPolicies:
    @pytest.mark.parametrize("activation", ["tanh", "relu"])
    def test_numpy_computes_what_keras_computes(self, activation):
        network = reinforcement.build_network(5, 3, (8, 7), activation, seed=1)
        states = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
        truth = network(states.reshape(8, 5)).numpy().reshape(2, 4, 3)
        np.testing.assert_allclose(reinforcement.in_numpy(network)(states), truth, atol=1e-5)

    def test_numpy_keeps_the_weights_of_its_moment(self):
        network = reinforcement.build_network(2, 2, (4,))
        answer, states = reinforcement.in_numpy(network), np.ones((1, 2), "float32")
        before = answer(states)
        network.set_weights([weight + 1 for weight in network.get_weights()])
        np.testing.assert_array_equal(answer(states), before)

    def test_other_layers_are_refused(self):
        odd = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
        with pytest.raises(ValueError, match="batch_normalization"):
            reinforcement.in_numpy(odd)
        odd = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "gelu")])
        with pytest.raises(ValueError, match="gelu"):
            reinforcement.in_numpy(odd)

    def test_refuse_nonsense(self):
        network = reinforcement.build_network(2, 2, (4,))
        for epsilon in (-0.1, 1.5, np.nan):
            with pytest.raises(ValueError, match=f"epsilon is {epsilon}"):
                reinforcement.epsilon_greedy(network, epsilon, np.random.default_rng(0))
        with pytest.raises(ValueError, match="outputs is 0"):
            reinforcement.build_network(2, 0)
        with pytest.raises(ValueError, match="activation is 'gelu'.*tanh, relu"):
            reinforcement.build_network(2, 2, activation="gelu")

    def test_sampled_actions_follow_the_softmax(self):
        network = reinforcement.build_network(1, 3, (), seed=0)
        network.set_weights([np.zeros((1, 3)), np.log([0.2, 0.5, 0.3])])
        act = reinforcement.sampled(network, np.random.default_rng(0))
        counts = np.bincount(act(np.zeros((20_000, 1), "float32")), minlength=3)
        np.testing.assert_allclose(counts / 20_000, [0.2, 0.5, 0.3], atol=0.02)

    def test_epsilon_greedy_explores_as_often_as_it_says(self):
        network = reinforcement.build_network(1, 4, ())
        network.set_weights([np.zeros((1, 4)), np.array([0.0, 0.0, 1.0, 0.0])])
        act = reinforcement.epsilon_greedy(network, 0.4, np.random.default_rng(0))
        counts = np.bincount(act(np.zeros((20_000, 1), "float32")), minlength=4)
        np.testing.assert_allclose(counts / 20_000, [0.1, 0.1, 0.7, 0.1], atol=0.02)

    # Keras reads its own variables in a way that NumPy 2 deprecates.
    def test_saved_and_loaded_networks_act_the_same(self, tmp_path):
        agent = reinforcement.PPO(4, 2, seed=3)
        world = reinforcement.Environments("CartPole-v1", 4, seed=0)
        agent.train(world, 2, steps=16)
        agent.policy.save(tmp_path / "policy.keras")
        loaded = keras.models.load_model(tmp_path / "policy.keras")
        states = np.random.default_rng(1).normal(size=(500, 4)).astype("float32")
        np.testing.assert_array_equal(
            reinforcement.greedy(loaded)(states), reinforcement.greedy(agent.policy)(states)
        )


def finite_differences(value, logits, step=1e-5):
    """The gradient of `value` at `logits`, by the change along each axis."""
    slopes = []
    for i in range(len(logits)):
        move = step * np.eye(len(logits))[i]
        slopes.append((value(logits + move) - value(logits - move)) / (2 * step))
    return np.array(slopes)


class TestPolicyGradient:
    # A bandit: one state, two arms with rewards 1 and 3. J = Σ π(a) r(a).
    rewards = np.array([1.0, 3.0])
    logits = np.array([0.4, -0.3])

    def estimate(self, loss, rewards):
        """The gradient when each arm counts as often as the policy pulls it."""
        pulls = tf.constant(special.softmax(self.logits))
        logits = tf.Variable(np.tile(self.logits, (2, 1)))
        with tf.GradientTape() as tape:
            value = loss(logits, np.array([0, 1]), tf.constant(rewards), pulls)
        return -tape.gradient(value, logits).numpy().sum(axis=0)

    def test_is_the_slope_of_the_expected_reward(self):
        def expected(logits):
            return special.softmax(logits) @ self.rewards

        found = self.estimate(reinforcement.policy_gradient_loss, self.rewards)
        np.testing.assert_allclose(found, finite_differences(expected, self.logits), atol=1e-6)
        # In closed form: π(a) (r(a) − J).
        pulls = special.softmax(self.logits)
        np.testing.assert_allclose(found, pulls * (self.rewards - pulls @ self.rewards), atol=1e-6)

    @given(st.floats(-5, 5))
    @settings(max_examples=10)
    def test_a_baseline_does_not_change_it(self, baseline):
        plain = self.estimate(reinforcement.policy_gradient_loss, self.rewards)
        shifted = self.estimate(reinforcement.policy_gradient_loss, self.rewards - baseline)
        np.testing.assert_allclose(shifted, plain, atol=1e-6)

    def test_ppo_starts_with_the_same_gradient(self):
        old = special.log_softmax(self.logits)

        def loss(logits, actions, advantages, weights):
            return reinforcement.clipped_loss(logits, actions, advantages, weights, old, 0.2)

        found = self.estimate(loss, self.rewards)
        plain = self.estimate(reinforcement.policy_gradient_loss, self.rewards)
        np.testing.assert_allclose(found, plain, atol=1e-6)

    @pytest.mark.parametrize(
        ("ratio", "advantage", "gain"),
        [(1.5, 1, 1.2), (0.5, 1, 0.5), (1.5, -1, -1.5), (0.5, -1, -0.8), (1.1, 2, 2.2)],
    )
    def test_the_clip_by_hand(self, ratio, advantage, gain):
        logits = np.log([[0.4, 0.6]])
        old = np.log([0.4 / ratio])
        loss = reinforcement.clipped_loss(
            logits, [0], np.array([float(advantage)]), np.ones(1), old, 0.2
        )
        assert float(loss) == pytest.approx(-gain, abs=1e-5)

    def test_masked_steps_do_not_count(self):
        rng = np.random.default_rng(0)
        logits, actions = rng.normal(size=(6, 3)), rng.integers(3, size=6)
        advantages, old = rng.normal(size=6), rng.normal(size=6)
        kept = np.array([1.0, 1, 0, 1, 0, 0])
        held = kept > 0
        for loss, extra in (
            (reinforcement.policy_gradient_loss, lambda k: ()),
            (reinforcement.clipped_loss, lambda k: (old[k], 0.2)),
        ):
            everything = np.ones(6, bool)
            masked = loss(logits, actions, advantages, kept, *extra(everything))
            alone = loss(logits[held], actions[held], advantages[held], np.ones(3), *extra(held))
            assert float(masked) == pytest.approx(float(alone), abs=1e-5)

    def test_refuse_to_broadcast(self):
        logits, four, column = np.zeros((4, 3)), np.zeros(4), np.zeros((4, 1))
        actions = np.zeros(4, int)
        with pytest.raises(ValueError, match=r"actions \(4,\), advantages \(4, 1\)"):
            reinforcement.policy_gradient_loss(logits, actions, column, four)
        with pytest.raises(ValueError, match=r"logits has shape \(4, 3\) and actions \(4, 1\)"):
            reinforcement.log_probabilities(logits, actions[:, None])
        with pytest.raises(ValueError, match=r"old_log_probabilities \(4, 1\)"):
            reinforcement.clipped_loss(logits, actions, four, four, column, 0.2)
        with pytest.raises(ValueError, match="clip is -0.2"):
            reinforcement.clipped_loss(logits, actions, four, four, four, -0.2)

    def test_entropy(self):
        logits = np.log([[0.5, 0.5], [0.9, 0.1]])
        truth = [-(p * np.log(p)).sum() for p in np.exp(logits)]
        np.testing.assert_allclose(reinforcement.entropy(logits), truth, atol=1e-6)

    def test_episode_gradients_average_to_the_gradient_of_the_mean(self):
        world = reinforcement.Environments("CartPole-v1", 5, seed=1)
        agent = reinforcement.Reinforce(4, 2, baseline=False, widths=(6,), seed=1)
        rollout = world.episodes(reinforcement.sampled(agent.policy, agent.rng))
        advantages, _ = agent.advantages(rollout)
        found = reinforcement.episode_gradients(agent.policy, rollout, advantages)
        assert found.shape == (5, agent.policy.count_params())
        kept = rollout.valid
        with tf.GradientTape() as tape:
            loss = reinforcement.policy_gradient_loss(
                agent.policy(rollout.states[kept]),
                rollout.actions[kept],
                advantages[kept].astype("float32"),
                np.ones(kept.sum(), "float32"),
            )
        gradient = tape.gradient(loss, agent.policy.trainable_variables)
        truth = -np.concatenate([np.ravel(g) for g in gradient]) * kept.sum()
        np.testing.assert_allclose(found.sum(axis=0), truth, rtol=1e-3, atol=1e-2)


def numbered(start, steps, copies):
    """A rollout whose rewards number its transitions."""
    numbers = np.arange(start, start + steps * copies, dtype="float32").reshape(steps, copies)
    no = np.zeros((steps, copies), bool)
    states = np.repeat(numbers[..., None], 2, axis=-1)
    return reinforcement.Rollout(states, no.astype(int), numbers, states + 1, no, no, ~no)


class TestReplayBuffer:
    def test_keeps_the_last_in_a_ring(self):
        buffer = reinforcement.ReplayBuffer(10, 2)
        for start in (0, 6, 12):
            buffer.add(numbered(start, 3, 2))
        assert len(buffer) == 10
        assert set(buffer.rewards) == set(range(8, 18))

    def test_more_than_fits_at_once(self):
        buffer = reinforcement.ReplayBuffer(5, 2)
        buffer.add(numbered(0, 4, 3))
        assert set(buffer.rewards) == set(range(7, 12))

    def test_leaves_out_steps_that_are_not_valid(self):
        buffer, rollout = reinforcement.ReplayBuffer(50, 2), numbered(0, 3, 2)
        rollout.valid[1, 0] = False
        buffer.add(rollout)
        assert len(buffer) == 5
        assert 2 not in buffer.rewards[:5]

    def test_parts_of_a_transition_stay_together(self):
        buffer = reinforcement.ReplayBuffer(10, 2)
        buffer.add(numbered(0, 8, 2))
        states, actions, rewards, next_states, terminated = buffer.sample(4, 6)
        assert states.shape == next_states.shape == (4, 6, 2)
        assert actions.shape == terminated.shape == (4, 6)
        np.testing.assert_array_equal(states[..., 0], rewards)
        np.testing.assert_array_equal(next_states[..., 1], rewards + 1)

    def test_draws_all_alike(self):
        buffer = reinforcement.ReplayBuffer(100, 2)
        buffer.add(numbered(0, 4, 1))
        counts = np.bincount(buffer.sample(8000)[2].astype(int), minlength=4)
        assert np.all(np.abs(counts - 2000) < 200)

    def test_refuses_states_of_another_size(self):
        # One column would be spread over all by broadcasting.
        narrow = numbered(0, 3, 2)
        narrow = narrow._replace(states=narrow.states[..., :1])
        with pytest.raises(ValueError, match="states have size 1; the buffer was made for 2"):
            reinforcement.ReplayBuffer(10, 2).add(narrow)

    def test_refuses_nothing(self):
        with pytest.raises(ValueError, match="capacity is 0"):
            reinforcement.ReplayBuffer(0, 2)
        with pytest.raises(ValueError, match="buffer is empty"):
            reinforcement.ReplayBuffer(3, 2).sample(1)


class TestDQN:
    def batches(self, count, terminated=False):
        """The same transition again and again: reward 2, and back to the same state."""
        states = np.ones((count, 8, 2), "float32")
        actions = np.zeros((count, 8), "int32")
        rewards = np.full((count, 8), 2, "float32")
        return states, actions, rewards, states, np.full((count, 8), terminated)

    def test_the_target_is_copied_when_it_should_be(self):
        agent = reinforcement.DQN(2, 2, copy_every=4, widths=(5,))
        first = agent.target.get_weights()
        agent.learn(*self.batches(3))
        for old, new in zip(first, agent.target.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        agent.learn(*self.batches(4))
        for copied, new in zip(
            agent.target.get_weights(), agent.network.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(copied, new)

    @pytest.mark.parametrize(("terminated", "truth"), [(True, 2), (False, 4)])
    def test_learns_the_value_of_a_loop(self, terminated, truth):
        # With γ = ½: r alone after a termination; r / (1 − γ) in a loop whose other action,
        # never seen, is kept out of the maximum by its bias.
        agent = reinforcement.DQN(
            2, 2, copy_every=16, widths=(5,), gamma=0.5, rate=1e-2, reward_scale=1.0
        )
        agent.network.layers[-1].bias.assign([0.0, -100.0])
        agent.target.set_weights(agent.network.get_weights())
        for _ in range(5):
            agent.learn(*self.batches(200, terminated))
        found = agent.network(np.ones((1, 2), "float32"))[0, 0]
        assert float(found) == pytest.approx(truth, rel=0.02)

    def test_refuses_bad_settings(self):
        with pytest.raises(ValueError, match="copy_every is 0"):
            reinforcement.DQN(2, 2, copy_every=0)
        with pytest.raises(ValueError, match="gamma is 1"):
            reinforcement.DQN(2, 2, gamma=1)
        with pytest.raises(ValueError, match="reward_scale is 0"):
            reinforcement.DQN(2, 2, reward_scale=0)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"rounds": 0}, "rounds is 0"),
            ({"batch_size": 0}, "batch_size is 0"),
            ({"exploring": 0}, "exploring is 0"),
            ({"last_epsilon": 2}, "last_epsilon is 2"),
            ({"gradient_steps": 3}, "gradient_steps is 3, below copy_every, 64.*never be copied"),
        ],
    )
    def test_refuses_to_train_badly(self, settings, message):
        world = reinforcement.Environments("CartPole-v1", 2)
        with pytest.raises(ValueError, match=message):
            reinforcement.DQN(4, 2, widths=(5,)).train(world, **({"rounds": 1} | settings))


AGENTS = {
    "reinforce": lambda seed: reinforcement.Reinforce(4, 2, widths=(8,), seed=seed),
    "ppo": lambda seed: reinforcement.PPO(4, 2, widths=(8,), seed=seed),
    "dqn": lambda seed: reinforcement.DQN(4, 2, widths=(8,), seed=seed),
}


@pytest.mark.parametrize("kind", AGENTS)
def test_a_seed_decides_everything(kind):
    def trained(seed):
        agent = AGENTS[kind](seed)
        world = reinforcement.Environments("CartPole-v1", 4, seed=seed)
        agent.train(world, 3)
        return (agent.network if kind == "dqn" else agent.policy).get_weights()

    once, again, other = trained(1), trained(1), trained(2)
    for first, second in zip(once, again, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.abs(once[0] - other[0]).max() > 1e-3


@pytest.mark.parametrize("kind", ["reinforce", "ppo"])
def test_agents_refuse_a_discount_of_one(kind):
    build = {"reinforce": reinforcement.Reinforce, "ppo": reinforcement.PPO}[kind]
    with pytest.raises(ValueError, match="gamma is 1"):
        build(4, 2, gamma=1.0)


@pytest.mark.parametrize(
    "setting", [{"epochs": 0}, {"minibatches": 0}, {"clip": 0}, {"decay": 1.5}]
)
def test_ppo_refuses_bad_settings(setting):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        reinforcement.PPO(4, 2, **setting)


def test_ppo_refuses_more_minibatches_than_steps():
    world = reinforcement.Environments("CartPole-v1", 2)
    agent = reinforcement.PPO(4, 2, widths=(5,), minibatches=7)
    with pytest.raises(ValueError, match="minibatches is 7, but the rollout has only 6 steps"):
        agent.train(world, 1, steps=3)


def test_without_a_baseline_there_is_no_value():
    agent = reinforcement.Reinforce(4, 2, baseline=False, widths=(5,))
    with pytest.raises(ValueError, match="baseline is False"):
        agent.values(np.zeros((1, 4), "float32"))
    with pytest.raises(ValueError, match="updates is 0"):
        agent.train(reinforcement.Environments("CartPole-v1", 2), 0)


def test_ppo_learns_to_balance():
    agent = reinforcement.PPO(4, 2, seed=0)
    world = reinforcement.Environments("CartPole-v1", 16, seed=0)
    before = reinforcement.evaluate(reinforcement.sampled(agent.policy, agent.rng), episodes=50)
    agent.train(world, 20)
    after = reinforcement.evaluate(reinforcement.sampled(agent.policy, agent.rng), episodes=50)
    assert before.mean() < 40
    assert after.mean() > 80


def test_reset_steps_teach_ppo_nothing():
    def trained(jump):
        agent = reinforcement.PPO(4, 2, widths=(8,), seed=0)
        world = reinforcement.Environments("CartPole-v1", 4, seed=0)
        rollout = world.collect(64, push_right)
        assert not rollout.valid.all()
        rewards = np.where(rollout.valid, rollout.rewards, jump)
        agent.update(rollout._replace(rewards=rewards.astype("float32")))
        return agent.policy.get_weights()

    for quiet, loud in zip(trained(0), trained(1000), strict=True):
        np.testing.assert_allclose(quiet, loud, atol=1e-6)


class TestWatch:
    def test_keeps_the_best_and_gives_it_back(self):
        network = reinforcement.build_network(4, 2, ())
        watch = reinforcement.Watch(network, every=2, episodes=10, limit=100)
        # Against the lean and its speed is far better than always right.
        good = [np.array([[0, 0], [0, 0], [0, 1], [0, 0.3]], "float32"), np.zeros(2, "float32")]
        bad = [np.zeros((4, 2), "float32"), np.array([0, 1], "float32")]
        for turn, weights in enumerate([bad, bad, bad, good, good, bad]):
            network.set_weights(weights)
            watch(turn, 10 * turn)
        assert [steps for steps, _ in watch.scores] == [10, 30, 50]
        assert watch.scores[0][1] == watch.scores[2][1] < 12 < watch.best == watch.scores[1][1]
        watch.restore()
        np.testing.assert_array_equal(network.get_weights()[0], good[0])

    def test_refuses_nothing(self):
        for argument in ("every", "episodes"):
            with pytest.raises(ValueError, match=f"{argument} is 0"):
                reinforcement.Watch(reinforcement.build_network(4, 2, ()), **{argument: 0})


def test_a_film_has_pictures():
    with pytest.raises(ValueError, match="every is 0"):
        reinforcement.frames(push_right, every=0)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_a_film_needs_no_screen(name, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    film = reinforcement.frames(push_right, name, seed=0, every=4, limit=20)
    assert film.ndim == 4
    assert film.shape[-1] == 3
    assert 0 <= film.min() < film.max() <= 1
    assert np.abs(film[0] - film[-1]).max() > 0.5
    assert len(film) <= 6
