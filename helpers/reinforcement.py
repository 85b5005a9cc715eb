"""Deep reinforcement learning: agents that learn from what their own actions bring.

s is a state, a an action, r a reward, γ the discount, V and Q are values and π is a policy (Sutton
and Barto, 2018). The arrays of a rollout are (T, N, …): T steps of N environments side by side.
A policy in use is a plain function from states (N, D) to actions (N,).
"""

import os
from typing import NamedTuple

from helpers.arguments import check_choice, check_in, check_positive

import gymnasium as gym
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

# Arrays of unknown sizes by their number of axes: with these each agent's step is traced once.
_FLOATS = {axes: tf.TensorSpec([None] * axes, "float32") for axes in (1, 2, 3)}
_WHOLE = {axes: tf.TensorSpec([None] * axes, "int32") for axes in (1, 2)}
_TRUTHS = tf.TensorSpec([None, None], "bool")


class Rollout(NamedTuple):
    """What N environments answered in T steps.

    Attributes:
        states: (T, N, D), what the agent saw.
        actions: (T, N), what it did: whole numbers from 0.
        rewards: (T, N), what it got.
        next_states: (T, N, D), what it saw then; at the end of an episode the episode's last state.
        terminated: (T, N), True where the episode came to its own end, after which nothing comes.
        truncated: (T, N), True where the clock stopped an episode that would have gone on.
        valid: (T, N), False where no step was taken: the environment was being reset, or its
            episode was over. Rewards are 0 there.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_states: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    valid: np.ndarray

    @property
    def ended(self):
        """(T, N), True at the last step of an episode, whatever ended it."""
        return self.terminated | self.truncated


class Environments:
    """N copies of one environment side by side, each starting anew when its episode ends.

    Attributes:
        steps: how many steps have been taken, in all copies together.
        history: a pair (steps so far, sum of rewards) for each episode that `collect` has ended.

    Args:
        name: the environment's name in Gymnasium; its actions must be 0, 1, 2 …
        count: N, how many copies.
        seed: of the environments' own chance.
        limit: longest episode in steps; None for the environment's own limit.

    Raises:
        ValueError: if count or limit is below 1, the actions cannot be counted, or a state is not
            a vector of numbers.
    """

    def __init__(self, name="CartPole-v1", count=16, seed=0, limit=None):
        check_positive(count=count, limit=1 if limit is None else limit)
        # Some environments come with a version that computes all copies in one NumPy call.
        together = gym.spec(name).vector_entry_point is not None
        self.vector = gym.make_vec(
            name,
            num_envs=count,
            vectorization_mode="vector_entry_point" if together else "sync",
            **({} if limit is None else {"max_episode_steps": limit}),
        )
        if not isinstance(self.vector.single_action_space, gym.spaces.Discrete):
            raise ValueError(
                f"name is {name!r}, whose actions are {self.vector.single_action_space}; they "
                f"must be Discrete"
            )
        seen = self.vector.single_observation_space
        if not isinstance(seen, gym.spaces.Box) or len(seen.shape) != 1:
            raise ValueError(
                f"name is {name!r}, whose states are {seen}; they must be a Box with one axis"
            )
        self.state_size = seen.shape[0]
        self.action_count = int(self.vector.single_action_space.n)
        self.steps = 0
        self.history = []
        self._start(seed)

    def _start(self, seed=None):
        self.states, _ = self.vector.reset(seed=seed)
        self.resetting = np.zeros(self.vector.num_envs, bool)
        self.scores = np.zeros(self.vector.num_envs)

    def _step(self, act):
        """One step of every copy, as a `Rollout` of arrays (N, …)."""
        states, valid = self.states, ~self.resetting
        actions = np.asarray(act(states))
        if actions.shape != valid.shape:
            raise ValueError(
                f"act gave actions of shape {actions.shape}; it must give one for each of "
                f"{len(valid)} states, shape {valid.shape}"
            )
        self.states, rewards, terminated, truncated, _ = self.vector.step(actions)
        # Gymnasium resets a copy in the step after an end: that step ignores the action, and
        # leads from the last state of one episode to the first of another. It is no transition.
        self.resetting = terminated | truncated
        self.steps += int(valid.sum())
        rewards = np.asarray(rewards, "float32")
        # A fall in the very last step is a fall: the rules come before the clock.
        truncated = truncated & ~terminated
        return Rollout(states, actions, rewards, self.states, terminated, truncated, valid)

    def collect(self, steps, act):
        """Takes a number of steps in each copy, going on where the last call stopped.

        Args:
            steps: T.
            act: function from states (N, D) to actions (N,).

        Returns:
            A `Rollout`.

        Raises:
            ValueError: if steps is below 1, or act does not give one action for each state.
        """
        check_positive(steps=steps)
        taken = []
        for _ in range(steps):
            step = self._step(act)
            self.scores += step.rewards
            self.history += [(self.steps, float(score)) for score in self.scores[step.ended]]
            self.scores[step.ended] = 0
            taken.append(step)
        return Rollout(*(np.stack(values) for values in zip(*taken, strict=True)))

    def episodes(self, act):
        """Plays one whole episode in each copy, from a fresh start.

        Returns:
            A `Rollout` as long as the longest episode; `valid` is False after a copy's end.
        """
        self._start()
        taken, playing = [], np.ones(self.vector.num_envs, bool)
        while playing.any():
            step = self._step(act)
            taken.append(
                step._replace(
                    rewards=step.rewards * playing,
                    terminated=step.terminated & playing,
                    truncated=step.truncated & playing,
                    valid=playing.copy(),
                )
            )
            playing &= ~step.ended
        self._start()
        return Rollout(*(np.stack(values) for values in zip(*taken, strict=True)))


def build_network(inputs, outputs, widths=(64, 64), activation="tanh", last_gain=1.0, seed=0):
    """A network of dense layers: states (B, inputs) → numbers (B, outputs), without a softmax.

    Args:
        inputs, outputs: their sizes.
        widths: units of the hidden layers.
        activation: "tanh" or "relu".
        last_gain: scale of the last layer's first weights; small makes the first outputs nearly
            equal.
        seed: of the first weights.

    Raises:
        ValueError: if a size is below 1, or the activation is another.
    """
    check_positive(inputs=inputs, outputs=outputs)
    check_choice("activation", activation, ("tanh", "relu"))
    blocks = [keras.Input((inputs,))]
    for i, width in enumerate(widths):
        start = keras.initializers.Orthogonal(np.sqrt(2), seed=1000 * seed + i)
        blocks.append(layers.Dense(width, activation, kernel_initializer=start))
    start = keras.initializers.Orthogonal(last_gain, seed=1000 * seed + len(widths))
    return keras.Sequential([*blocks, layers.Dense(outputs, kernel_initializer=start)])


def in_numpy(network):
    """Copies the weights of a network of dense layers into a function that needs only NumPy.

    An agent acts thousands of times on a few states. Calling Keras costs more than that little
    arithmetic, and NumPy does it in some microseconds.

    Args:
        network: from `build_network`.

    Returns:
        Function from states (N, D) to the network's outputs (N, outputs), as the weights are now.

    Raises:
        ValueError: if a layer is not dense, or its activation is not tanh, relu or linear.
    """
    known = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "linear": lambda x: x}
    steps = []
    for layer in network.layers:
        activation = getattr(getattr(layer, "activation", None), "__name__", None)
        if not isinstance(layer, layers.Dense) or activation not in known:
            raise ValueError(
                f"network has the layer {layer.name!r} ({type(layer).__name__}, {activation}); "
                f"only Dense with {', '.join(known)} can be computed in NumPy"
            )
        steps.append((layer.kernel.numpy(), layer.bias.numpy(), known[activation]))

    def answer(states):
        for kernel, bias, activation in steps:
            states = activation(states @ kernel + bias)
        return states

    return answer


def greedy(network):
    """The policy that takes the action with the largest output: Q-value or logit."""
    answer = in_numpy(network)
    return lambda states: answer(states).argmax(axis=-1)


def sampled(network, rng):
    """The policy that draws each action from the softmax of the outputs.

    Args:
        network: from states to logits.
        rng: NumPy's random generator.
    """
    answer = in_numpy(network)

    def act(states):
        logits = answer(states)
        # The largest of logits + Gumbel noise falls on each action with its softmax probability.
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)

    return act


def epsilon_greedy(network, epsilon, rng):
    """The greedy policy, but with probability epsilon an action drawn from all alike.

    Args:
        network: from states to Q-values or logits.
        epsilon: in [0, 1].
        rng: NumPy's random generator.

    Raises:
        ValueError: if epsilon is not in [0, 1].
    """
    check_in("[0, 1]", epsilon=epsilon)
    best = greedy(network)

    def act(states):
        actions = best(states)
        drawn = rng.integers(network.output_shape[-1], size=actions.shape)
        return np.where(rng.random(actions.shape) < epsilon, drawn, actions)

    return act


def evaluate(act, name="CartPole-v1", episodes=100, seed=0, limit=None):
    """The returns (sums of rewards, not discounted) of whole episodes under a policy.

    Args:
        act: function from states (N, D) to actions (N,).
        name, limit: see `Environments`.
        episodes: how many.
        seed: of the environments' chance; choose one that training has not used.

    Returns:
        Array (episodes,).

    Raises:
        ValueError: if episodes is below 1; see `Environments` for the others.
    """
    check_positive(episodes=episodes)
    return Environments(name, episodes, seed, limit).episodes(act).rewards.sum(axis=0)


class Watch:
    """Judges a network while it learns, and keeps the weights of its best moment.

    Attributes:
        scores: a pair (steps so far, mean return) for each judgement.

    Args:
        network: whose greedy policy is judged.
        name, limit: see `Environments`.
        every: turns of training between two judgements.
        episodes: how many are played to judge; each time from the same starts.
        seed: of the starts; not that of training, and not that of the final test.

    Raises:
        ValueError: if every or episodes is below 1.
    """

    def __init__(self, network, name="CartPole-v1", every=5, episodes=50, seed=10_000, limit=None):
        check_positive(every=every, episodes=episodes)
        self.network, self.every = network, every
        self.judge = {"name": name, "episodes": episodes, "seed": seed, "limit": limit}
        self.scores = []
        self.best = -np.inf
        self.best_weights = network.get_weights()

    def __call__(self, turn, steps):
        """Judges after every so many turns of training, counted from 0."""
        if (turn + 1) % self.every:
            return
        score = float(evaluate(greedy(self.network), **self.judge).mean())
        self.scores.append((steps, score))
        if score >= self.best:
            self.best, self.best_weights = score, self.network.get_weights()

    def restore(self):
        """Gives the network the weights that it had when it was judged best."""
        self.network.set_weights(self.best_weights)


def discounted_returns(rewards, ended, gamma):
    """G_t = r_t + γ r_{t+1} + γ² r_{t+2} + …, up to the end of the episode.

    Args:
        rewards, ended: arrays (T,) or (T, N); `ended` is True at the last step of an episode.
        gamma: in [0, 1].

    Returns:
        Floats in the shape of `rewards`. Rewards after the last step of the arrays count as 0.

    Raises:
        ValueError: if the shapes differ, there is no axis of time, or gamma is not in [0, 1].
    """
    rewards, ended = _same_shape(rewards=rewards, ended=ended)
    if rewards.ndim == 0:
        raise ValueError("rewards is a single number; it must have an axis of time, (T,) or (T, N)")
    check_in("[0, 1]", gamma=gamma)
    returns, following = np.zeros(rewards.shape), np.zeros(rewards.shape[1:])
    # From the last step backwards each return needs one multiplication.
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * np.where(ended[t], 0, following)
        returns[t] = following
    return returns


def td_targets(rewards, terminated, next_values, gamma):
    """The target r + γ V(s'), or r alone where the episode terminated: there nothing follows.

    A truncated episode would have gone on, so there V(s') counts.

    Args:
        rewards, terminated, next_values: arrays or tensors of one shape, such as (B,).
        gamma: the discount, in [0, 1].

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if the shapes differ or gamma is not in [0, 1].
    """
    _check_same_shape(rewards=rewards, terminated=terminated, next_values=next_values)
    check_in("[0, 1]", gamma=gamma)
    following = ops.where(terminated, ops.zeros_like(next_values), next_values)
    return ops.add(rewards, gamma * following)


def generalised_advantages(rewards, values, next_values, terminated, ended, gamma, decay):
    """How much better each action was than the policy's average (Schulman et al., 2016).

    A_t = δ_t + γλ δ_{t+1} + (γλ)² δ_{t+2} + … with δ_t = r_t + γ V(s_{t+1}) − V(s_t), up to the
    end of the episode; V(s_{t+1}) counts as 0 where the episode terminated.

    Args:
        rewards, values, next_values, terminated, ended: arrays (T, N): values are V(s_t) and
            V(s_{t+1}); `ended` is True at termination and at truncation.
        gamma: γ, the discount, in [0, 1].
        decay: λ in [0, 1]. 0 trusts V after one step; 1 trusts only the rewards.

    Returns:
        Array (T, N).

    Raises:
        ValueError: if the shapes differ, or gamma or decay is not in [0, 1].
    """
    rewards, values, next_values, terminated, ended = _same_shape(
        rewards=rewards,
        values=values,
        next_values=next_values,
        terminated=terminated,
        ended=ended,
    )
    check_in("[0, 1]", gamma=gamma)
    check_in("[0, 1]", decay=decay)
    errors = rewards + gamma * np.where(terminated, 0, next_values) - values
    return discounted_returns(errors, ended, gamma * decay)


def policy_gradient_loss(logits, actions, advantages, weights):
    """−Σ w A log π(a|s) / Σ w: its gradient is minus the policy gradient (Williams, 1992).

    Args:
        logits: (B, A), of the policy.
        actions: (B,) whole numbers from 0 to A − 1.
        advantages: (B,), taken as constants.
        weights: (B,), 0 for what must not count, and not all of them 0.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes do not fit.
    """
    _check_same_shape(actions=actions, advantages=advantages, weights=weights)
    chosen = log_probabilities(logits, actions)
    return -ops.sum(weights * advantages * chosen) / ops.sum(weights)


def log_probabilities(logits, actions):
    """Log π(a|s) of the actions taken: logits (B, A), actions (B,) from 0 to A − 1 → (B,).

    Raises:
        ValueError: if there is not one action for each row of logits.
    """
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) != 2 or not _static(actions).is_compatible_with(logits.shape[:1]):
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and actions {tuple(_static(actions))}; "
            f"they must be (B, A) and (B,)"
        )
    one_hot = ops.one_hot(actions, logits.shape[-1], dtype=logits.dtype)
    return ops.sum(ops.log_softmax(logits) * one_hot, axis=-1)


def clipped_loss(logits, actions, advantages, weights, old_log_probabilities, clip):
    """PPO's loss: no reward for moving a probability further than a factor 1 ± clip.

    Schulman et al. (2017), equation 7, with its sign turned.

    Args:
        logits, actions, advantages, weights: see `policy_gradient_loss`.
        old_log_probabilities: (B,), of the policy that took the actions.
        clip: the largest change that still pays, such as 0.2; above 0.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes do not fit, or clip is not above 0.
    """
    check_in("(0, ∞)", clip=clip)
    _check_same_shape(
        actions=actions,
        advantages=advantages,
        weights=weights,
        old_log_probabilities=old_log_probabilities,
    )
    ratio = ops.exp(log_probabilities(logits, actions) - old_log_probabilities)
    kept = ops.clip(ratio, 1 - clip, 1 + clip)
    gain = ops.minimum(ratio * advantages, kept * advantages)
    return -ops.sum(weights * gain) / ops.sum(weights)


def entropy(logits):
    """Entropy of each policy in nats: logits (B, A) → (B,); at most log A."""
    return -ops.sum(ops.softmax(logits) * ops.log_softmax(logits), axis=-1)


class Reinforce:
    """REINFORCE (Williams, 1992): makes actions likelier that had a high return.

    Attributes:
        policy: network from states to logits.
        value: network from states to V, the baseline; None without one.

    Args:
        state_size, action_count: of the environment.
        baseline: whether a learned V(s) is subtracted from the returns.
        widths: hidden units of each network.
        rate: learning rate of Adam.
        gamma: the discount.
        seed: of the first weights and of the actions.
    """

    def __init__(
        self,
        state_size,
        action_count,
        baseline=True,
        widths=(64, 64),
        rate=5e-3,
        gamma=0.99,
        seed=0,
    ):
        check_in("[0, 1)", gamma=gamma)
        self.gamma = gamma
        self.rng = np.random.default_rng([seed, 1])
        self.policy = build_network(state_size, action_count, widths, last_gain=0.01, seed=seed)
        self.value = build_network(state_size, 1, widths, seed=seed + 500) if baseline else None
        # Built here, the optimisers create no variables inside the first compiled step.
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.policy.trainable_variables)
        if baseline:
            self.value_optimizer = keras.optimizers.Adam(rate)
            self.value_optimizer.build(self.value.trainable_variables)

    def advantages(self, rollout):
        """Advantages, which are the returns less V(s) if there is a baseline, and the returns.

        Both are (T, N), and 0 where a rollout of whole episodes is not valid.
        """
        returns = discounted_returns(rollout.rewards, rollout.ended, self.gamma)
        if self.value is None:
            return returns, returns
        return (returns - self.values(rollout.states)) * rollout.valid, returns

    def values(self, states):
        """The baseline's V(s): states (…, D) → (…).

        Raises:
            ValueError: if the agent was built without a baseline.
        """
        if self.value is None:
            raise ValueError("baseline is False; this agent has no V(s)")
        return in_numpy(self.value)(states)[..., 0] / (1 - self.gamma)

    def train(self, environments, updates):
        """Plays whole episodes in all copies and takes one step, so many times.

        Returns:
            Pairs (steps so far, mean return of the episodes), one an update.

        Raises:
            ValueError: if updates is below 1.
        """
        check_positive(updates=updates)
        curve = []
        for _ in range(updates):
            rollout = environments.episodes(sampled(self.policy, self.rng))
            advantages, returns = self.advantages(rollout)
            kept = rollout.valid
            # Of one size, advantages of 10 and of 100 can share a learning rate.
            scale = np.sqrt(np.mean(advantages[kept] ** 2)) + 1e-8
            self.learn(
                rollout.states[kept],
                rollout.actions[kept].astype("int32"),
                (advantages[kept] / scale).astype("float32"),
                # In units of 1 / (1 − γ) a value is an average of rewards: a size that networks
                # learn fast.
                ((1 - self.gamma) * returns[kept]).astype("float32"),
            )
            curve.append((environments.steps, float(rollout.rewards.sum(axis=0).mean())))
        return curve

    @tf.function(input_signature=[_FLOATS[2], _WHOLE[1], _FLOATS[1], _FLOATS[1]])
    def learn(self, states, actions, advantages, returns):
        """One step up the policy gradient, and 30 of the baseline towards the returns."""
        with tf.GradientTape() as tape:
            weights = ops.ones_like(advantages)
            loss = policy_gradient_loss(self.policy(states), actions, advantages, weights)
        variables = self.policy.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        if self.value is not None:
            variables = self.value.trainable_variables
            for _ in tf.range(30):
                with tf.GradientTape() as tape:
                    loss = ops.mean((self.value(states)[:, 0] - returns) ** 2)
                self.value_optimizer.apply(tape.gradient(loss, variables), variables)


@tf.function(reduce_retracing=True)
def _episode_gradient(policy, states, actions, advantages):
    with tf.GradientTape() as tape:
        total = ops.sum(advantages * log_probabilities(policy(states), actions))
    gradients = tape.gradient(total, policy.trainable_variables)
    return ops.concatenate([ops.reshape(gradient, (-1,)) for gradient in gradients])


def episode_gradients(policy, rollout, advantages):
    """The gradient of Σ_t A_t log π(a_t|s_t), estimated from each episode alone.

    Args:
        policy: network from states to logits.
        rollout: N episodes, from `Environments.episodes`.
        advantages: (T, N), of any value where the rollout is not valid.

    Returns:
        Array (N, P), P being the number of the policy's weights. Its mean over the episodes
        estimates the policy gradient, its variance says how far one episode can be trusted.

    Raises:
        ValueError: if advantages are not of the rollout's shape.
    """
    _check_same_shape(advantages=advantages, rewards=rollout.rewards)
    advantages = np.where(rollout.valid, advantages, 0).astype("float32")
    actions = rollout.actions.astype("int32")
    found = [
        _episode_gradient(policy, rollout.states[:, i], actions[:, i], advantages[:, i])
        for i in range(advantages.shape[1])
    ]
    return np.stack([gradient.numpy() for gradient in found])


class PPO:
    """Proximal policy optimisation (Schulman et al., 2017): an actor and a critic.

    With `epochs=1` and `minibatches=1` every probability ratio is 1, and what is left is A2C, the
    advantage actor-critic of Mnih et al. (2016) with all copies in step.

    Attributes:
        policy: the actor, network from states to logits.
        value: the critic, network from states to V.

    Args:
        state_size, action_count: of the environment.
        widths: hidden units of each network.
        rate: learning rate of Adam.
        gamma, decay: γ and λ of `generalised_advantages`.
        clip: see `clipped_loss`.
        epochs: how often each step is learned from.
        minibatches: in how many parts the steps of an update are learned.
        critic_weight: of the critic's squared error beside the actor's loss.
        entropy_bonus: what a nat of the policy's entropy is worth.
        seed: of the first weights, the actions and the order of learning.

    Raises:
        ValueError: if gamma is not in [0, 1), decay is not in [0, 1], clip is not above 0, or
            epochs or minibatches is below 1.
    """

    def __init__(
        self,
        state_size,
        action_count,
        widths=(64, 64),
        rate=2e-3,
        gamma=0.99,
        decay=0.95,
        clip=0.2,
        epochs=6,
        minibatches=4,
        critic_weight=5.0,
        entropy_bonus=0.0,
        seed=0,
    ):
        check_in("[0, 1)", gamma=gamma)
        check_in("[0, 1]", decay=decay)
        check_in("(0, ∞)", clip=clip)
        check_positive(epochs=epochs, minibatches=minibatches)
        self.gamma, self.decay, self.clip = gamma, decay, clip
        self.epochs, self.minibatches, self.entropy_bonus = epochs, minibatches, entropy_bonus
        self.rate, self.critic_weight = rate, critic_weight
        self.rng = np.random.default_rng([seed, 2])
        self.policy = build_network(state_size, action_count, widths, last_gain=0.01, seed=seed)
        self.value = build_network(state_size, 1, widths, seed=seed + 500)
        self.variables = self.policy.trainable_variables + self.value.trainable_variables
        self.optimizer = keras.optimizers.Adam(rate, clipnorm=0.5)
        self.optimizer.build(self.variables)

    def advantages(self, rollout):
        """Advantages and the returns they imply, (T, N) each, by the critic as it is now."""
        values, next_values = self.values(rollout.states), self.values(rollout.next_states)
        advantages = generalised_advantages(
            rollout.rewards,
            values,
            next_values,
            rollout.terminated,
            rollout.ended,
            self.gamma,
            self.decay,
        )
        return advantages, advantages + values

    def values(self, states):
        """The critic's V(s): states (…, D) → (…)."""
        return in_numpy(self.value)(states)[..., 0] / (1 - self.gamma)

    def train(self, environments, updates, steps=64, watch=None):
        """Collects `steps` steps of each copy and learns from them, so many times.

        The learning rate falls in a straight line to a tenth. `watch` is a `Watch` or None.

        Raises:
            ValueError: if updates or steps is below 1, or an update has fewer steps than
                minibatches.
        """
        check_positive(updates=updates, steps=steps)
        for i in range(updates):
            rollout = environments.collect(steps, sampled(self.policy, self.rng))
            self.optimizer.learning_rate = self.rate * (1 - 0.9 * i / updates)
            self.update(rollout)
            if watch is not None:
                watch(i, environments.steps)

    def update(self, rollout):
        """Learns from one rollout, `epochs` times over.

        Steps that do not fill the last minibatch are left out, others in each pass.
        """
        if rollout.valid.size < self.minibatches:
            raise ValueError(
                f"minibatches is {self.minibatches}, but the rollout has only "
                f"{rollout.valid.size} steps"
            )
        advantages, returns = self.advantages(rollout)
        actions = rollout.actions.ravel().astype("int32")
        states = rollout.states.reshape(len(actions), -1)
        size = len(actions) // self.minibatches
        order = [self.rng.permutation(len(actions)) for _ in range(self.epochs)]
        order = np.stack(order)[:, : size * self.minibatches].reshape(-1, size)
        self.learn(
            order.astype("int32"),
            states,
            actions,
            advantages.ravel().astype("float32"),
            # In units of 1 / (1 − γ), as in REINFORCE.
            ((1 - self.gamma) * returns.ravel()).astype("float32"),
            rollout.valid.ravel().astype("float32"),
        )

    @tf.function(
        input_signature=[_WHOLE[2], _FLOATS[2], _WHOLE[1], _FLOATS[1], _FLOATS[1], _FLOATS[1]]
    )
    def learn(self, order, states, actions, advantages, returns, weights):
        """One gradient step for each row of `order`, which holds the numbers of its samples."""
        old = log_probabilities(self.policy(states), actions)
        for i in tf.range(tf.shape(order)[0]):
            part = [
                tf.gather(values, order[i])
                for values in (states, actions, advantages, weights, old, returns)
            ]
            with tf.GradientTape() as tape:
                loss = self.loss(*part)
            self.optimizer.apply(tape.gradient(loss, self.variables), self.variables)

    def loss(self, states, actions, advantages, weights, old, returns):
        """The actor's clipped loss, plus the critic's squared error, less the entropy bonus."""
        count = ops.sum(weights)
        mean = ops.sum(weights * advantages) / count
        spread = ops.sqrt(ops.sum(weights * (advantages - mean) ** 2) / count)
        advantages = (advantages - mean) / (spread + 1e-8)
        logits, values = self.policy(states), self.value(states)[:, 0]
        actor = clipped_loss(logits, actions, advantages, weights, old, self.clip)
        critic = ops.sum(weights * (values - returns) ** 2) / count
        bonus = ops.sum(weights * entropy(logits)) / count
        return actor + self.critic_weight * critic - self.entropy_bonus * bonus


class ReplayBuffer:
    """Keeps the last transitions, and gives back any of them, each as likely as the others.

    Args:
        capacity: how many; then the oldest give way.
        state_size: D.
        seed: of the choice.

    Raises:
        ValueError: if capacity or state_size is below 1.
    """

    def __init__(self, capacity, state_size, seed=0):
        check_positive(capacity=capacity, state_size=state_size)
        self.states = np.zeros((capacity, state_size), "float32")
        self.actions = np.zeros(capacity, "int32")
        self.rewards = np.zeros(capacity, "float32")
        self.next_states = np.zeros((capacity, state_size), "float32")
        self.terminated = np.zeros(capacity, bool)
        self.capacity = capacity
        self.added = 0
        self.rng = np.random.default_rng([seed, 3])

    def __len__(self):
        return min(self.added, self.capacity)

    def add(self, rollout):
        """Adds the valid steps of a `Rollout`, oldest first.

        Raises:
            ValueError: if its states are of another size.
        """
        if rollout.states.shape[-1] != self.states.shape[-1]:
            raise ValueError(
                f"the rollout's states have size {rollout.states.shape[-1]}; the buffer was made "
                f"for {self.states.shape[-1]}"
            )
        kept = rollout.valid
        places = (self.added + np.arange(kept.sum())) % self.capacity
        for name in ("states", "actions", "rewards", "next_states", "terminated"):
            getattr(self, name)[places] = getattr(rollout, name)[kept]
        self.added += len(places)

    def sample(self, *shape):
        """Draws transitions with replacement.

        Args:
            shape: how many; (128, 64) gives 128 batches of 64.

        Returns:
            states (*shape, D), actions, rewards (*shape), next_states (*shape, D), terminated.

        Raises:
            ValueError: if the buffer is empty.
        """
        if len(self) == 0:
            raise ValueError("the buffer is empty; add transitions before you sample")
        picks = self.rng.integers(len(self), size=shape)
        names = ("states", "actions", "rewards", "next_states", "terminated")
        return tuple(getattr(self, name)[picks] for name in names)


def double_q_values(online, target):
    """The value of the next state: one network chooses the action, the other judges it.

    The largest of noisy numbers is too large on average. If the noise of the judge is not that of
    the chooser, the excess is smaller (van Hasselt et al., 2016).

    Args:
        online, target: Q-values of the next states by the two networks, (B, A).

    Returns:
        (B,): target[i, argmax online[i]].

    Raises:
        ValueError: if the shapes differ or are not (B, A).
    """
    _check_same_shape(online=online, target=target)
    if _static(target).rank != 2:
        raise ValueError(f"target has shape {tuple(_static(target))}; it must be (B, A)")
    target = ops.convert_to_tensor(target)
    chosen = ops.one_hot(ops.argmax(online, axis=-1), target.shape[-1], dtype=target.dtype)
    return ops.sum(target * chosen, axis=-1)


class DQN:
    """Deep Q-learning (Mnih et al., 2015) with experience replay and a target network.

    Attributes:
        network: from states to one Q-value an action; this one learns and acts.
        target: the copy of it that the targets are computed with.

    Args:
        state_size, action_count: of the environment.
        double: whether the targets use `double_q_values`.
        copy_every: gradient steps from one copy into the target network to the next, counted
            anew in each round of `train`; with 1 there is in effect no target network.
        widths: hidden units.
        rate: learning rate of Adam at the start; it falls to a tenth.
        gamma: the discount.
        capacity: of the replay buffer.
        reward_scale: what rewards are multiplied by, above 0; None for 1 − γ, in whose units a
            value is an average of rewards.
        loss: Keras' name for the loss between Q-values and their targets.
        seed: of the first weights, the actions and the replay.

    Raises:
        ValueError: if gamma is not in [0, 1), copy_every or capacity is below 1, or reward_scale
            is not above 0.
    """

    def __init__(
        self,
        state_size,
        action_count,
        double=True,
        copy_every=64,
        widths=(64, 64),
        rate=1e-3,
        gamma=0.99,
        capacity=10_000,
        reward_scale=None,
        loss="mean_squared_error",
        seed=0,
    ):
        check_in("[0, 1)", gamma=gamma)
        check_positive(copy_every=copy_every)
        self.double, self.copy_every, self.gamma, self.rate = double, copy_every, gamma, rate
        self.loss = keras.losses.get(loss)
        self.reward_scale = 1 - gamma if reward_scale is None else reward_scale
        check_in("(0, ∞)", reward_scale=self.reward_scale)
        self.rng = np.random.default_rng([seed, 4])
        self.buffer = ReplayBuffer(capacity, state_size, seed)
        self.network = build_network(state_size, action_count, widths, "relu", seed=seed)
        self.target = keras.models.clone_model(self.network)
        self.target.set_weights(self.network.get_weights())
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.network.trainable_variables)

    def train(
        self,
        environments,
        rounds,
        steps=32,
        gradient_steps=128,
        batch_size=64,
        exploring=0.2,
        last_epsilon=0.04,
        watch=None,
    ):
        """Acts and learns in turns.

        Args:
            environments: `Environments`.
            rounds: how many turns.
            steps: of each copy in a turn.
            gradient_steps: in a turn.
            batch_size: transitions for a gradient step.
            exploring: the share of the rounds over which ε falls from 1, in (0, 1].
            last_epsilon: where it stops, in [0, 1].
            watch: a `Watch`, or None.

        Returns:
            The mean Q-value over the batches of each round, a list, in units of the rewards.

        Raises:
            ValueError: if a count is below 1, a share is not one, or the target would never be
                copied, because a round has fewer gradient steps than `copy_every`.
        """
        check_positive(
            rounds=rounds, steps=steps, gradient_steps=gradient_steps, batch_size=batch_size
        )
        check_in("(0, 1]", exploring=exploring)
        check_in("[0, 1]", last_epsilon=last_epsilon)
        if gradient_steps < self.copy_every:
            raise ValueError(
                f"gradient_steps is {gradient_steps}, below copy_every, {self.copy_every}: the "
                f"target network would never be copied"
            )
        means = []
        for i in range(rounds):
            epsilon = max(last_epsilon, 1 - (1 - last_epsilon) * i / (exploring * rounds))
            act = epsilon_greedy(self.network, epsilon, self.rng)
            self.buffer.add(environments.collect(steps, act))
            self.optimizer.learning_rate = self.rate * (1 - 0.9 * i / rounds)
            mean = self.learn(*self.buffer.sample(gradient_steps, batch_size))
            means.append(float(mean) / self.reward_scale)
            if watch is not None:
                watch(i, environments.steps)
        return means

    @tf.function(input_signature=[_FLOATS[3], _WHOLE[2], _FLOATS[2], _FLOATS[3], _TRUTHS])
    def learn(self, states, actions, rewards, next_states, terminated):
        """One gradient step for each batch; arrays (steps, B, …). Returns the mean scaled Q."""
        count = tf.shape(states)[0]
        total = 0.0
        for i in tf.range(count):
            following = self.target(next_states[i])
            chooser = self.network(next_states[i]) if self.double else following
            following = double_q_values(chooser, following)
            scaled = self.reward_scale * rewards[i]
            targets = td_targets(scaled, terminated[i], following, self.gamma)
            with tf.GradientTape() as tape:
                one_hot = ops.one_hot(actions[i], self.network.output_shape[-1])
                values = ops.sum(self.network(states[i]) * one_hot, axis=-1)
                loss = ops.mean(self.loss(targets[:, None], values[:, None]))
            variables = self.network.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            total += ops.mean(values)
            if (i + 1) % self.copy_every == 0:
                for copy, weight in zip(self.target.weights, self.network.weights, strict=True):
                    copy.assign(weight)
        return total / tf.cast(count, "float32")


def frames(act, name="CartPole-v1", seed=0, every=1, limit=None):
    """Films one episode.

    Args:
        act: function from states (N, D) to actions (N,).
        name, limit: see `Environments`.
        seed: of the episode's start.
        every: steps between two pictures; the last picture shows the end of the episode.

    Returns:
        Array (pictures, H, W, 3) in [0, 1].

    Raises:
        ValueError: if every is below 1.
    """
    check_positive(every=every)
    # pygame draws into memory; without this it would look for a screen.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    environment = gym.make(name, render_mode="rgb_array", max_episode_steps=limit)
    state, _ = environment.reset(seed=seed)
    pictures, steps, over = [environment.render()], 0, False
    while not over:
        state, _, terminated, truncated, _ = environment.step(int(act(state[None])[0]))
        steps, over = steps + 1, terminated or truncated
        if over or steps % every == 0:
            pictures.append(environment.render())
    environment.close()
    return np.stack(pictures).astype("float32") / 255


def _same_shape(**named):
    arrays = {name: np.asarray(values) for name, values in named.items()}
    _check_same_shape(**arrays)
    return arrays.values()


def _static(values):
    """The shape as far as it is known, also inside a compiled step."""
    return tf.TensorShape(values.shape if hasattr(values, "shape") else np.shape(values))


def _check_same_shape(**named):
    """Refuses shapes that broadcasting would let pass: (B,) and (B, 1) make (B, B)."""
    shapes = {name: _static(values) for name, values in named.items()}
    first = next(iter(shapes.values()))
    if not all(first.is_compatible_with(shape) for shape in shapes.values()):
        told = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"the shapes must be the same; got {told}")
