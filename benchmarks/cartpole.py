"""Seconds that PPO and double DQN need for CartPole, and the returns they reach, over five seeds.

Each agent learns as in lesson 19, judged now and then on episodes that choose its best weights;
these then play 100 fresh episodes. 475 counts as solved. Seconds include compiling and judging.
Run: python benchmarks/cartpole.py
"""

import time

from helpers import reinforcement

SEEDS = range(5)
WORLD = "CartPole-v1"


def main():
    """Trains both agents with each seed and prints one row for each."""
    print("agent       seed  steps  seconds  return")
    for seed in SEEDS:
        world = reinforcement.Environments(WORLD, 16, seed=seed)
        agent = reinforcement.PPO(world.state_size, world.action_count, seed=seed)
        report("PPO", seed, world, agent, agent.policy, updates=100)
    for seed in SEEDS:
        world = reinforcement.Environments(WORLD, 8, seed=seed)
        agent = reinforcement.DQN(world.state_size, world.action_count, seed=seed)
        report("double DQN", seed, world, agent, agent.network, updates=150)


def report(name, seed, world, agent, network, updates):
    """Trains an agent, lets its best weights play, and prints the row."""
    watch = reinforcement.Watch(network, every=5, episodes=50)
    start = time.perf_counter()
    agent.train(world, updates, watch=watch)
    seconds = time.perf_counter() - start
    watch.restore()
    returns = reinforcement.evaluate(reinforcement.greedy(network), episodes=100, seed=7)
    print(f"{name:<10} {seed:5} {world.steps:6,} {seconds:8.1f} {returns.mean():7.1f}")


if __name__ == "__main__":
    main()
