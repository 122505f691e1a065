"""An agent's steps as a batch to learn from: actions, advantages and returns, in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import generator
from parity.data.batch import Batch
from parity.data.rollouts.environments import Environments
from parity.data.sources import Arrays, Key

Policy = Callable[[NDArray[Any]], NDArray[np.float64]]
"""A function of observations (N, F) that gives the logits of the actions and, last, the value, (N, actions + 1)."""
ADVANTAGE = 2
"""Place of the advantage among what is known of a step."""
TINY = 1e-8
"""Number that is added to the advantages' deviation before they are divided by it."""


@dataclass(frozen=True)
class Rollout:
    """T steps in each of N environments; all arrays (T, N, …).

    Args:
        observations: what was seen before each step, float32 (T, N, F).
        actions: what was done, int64 (T, N).
        outputs: what the policy gave, float64 (T, N, actions + 1).
        rewards: what each step earned.
        after: what was seen after it, float32 (T, N, F).
        terminal, ended: whether the episode came to its end, or ended for any reason.
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]
    outputs: NDArray[np.float64]
    rewards: NDArray[np.float64]
    after: NDArray[np.float32]
    terminal: NDArray[np.bool_]
    ended: NDArray[np.bool_]


def collect(policy: Policy, environments: Environments, length: int, rng: np.random.Generator) -> Rollout:
    """Let a policy act for `length` steps, and go on where the environments are.

    An action is drawn from the policy's probabilities, one uniform number each.
    """
    steps = []
    for _ in range(length):
        seen = environments.observations
        outputs = policy(seen)
        actions = sampled(outputs[:, :-1], rng)
        outcome = environments.step(actions)
        steps.append((seen, actions, outputs, outcome.rewards, outcome.observations, outcome.terminal, outcome.ended))
    return Rollout(*(np.stack(column) for column in zip(*steps, strict=True)))


def sampled(logits: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """An action a row of logits (N, actions): the first whose cumulated probability is above a uniform number."""
    above = np.exp(log_softmax(logits)).cumsum(axis=-1) > rng.random((len(logits), 1))
    return np.where(above.any(axis=-1), above.argmax(axis=-1), logits.shape[-1] - 1)


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the probabilities along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def advantages(
    rollout: Rollout, next_values: NDArray[np.float64], discount: float, trace: float
) -> NDArray[np.float64]:
    """How much more each step earned than the value said, by generalised advantage estimation, (T, N).

    The error of a step is its reward and the discounted value of what was seen after it, less the value before; an
    advantage is the sum of the errors from its step on, each counting discount · trace times the one before. Nothing
    can be earned after an episode's end; where it only ran into its limit, the value of what was seen last stands for
    the rest. Source: https://arxiv.org/abs/1506.02438.

    Args:
        rollout: the steps.
        next_values: values of what was seen after each, (T, N).
        discount, trace: γ and λ.
    """
    errors = rollout.rewards + discount * next_values * ~rollout.terminal - rollout.outputs[..., -1]
    result, later = np.zeros_like(errors), np.zeros(errors.shape[1])
    for step in reversed(range(len(errors))):
        later = errors[step] + discount * trace * later * ~rollout.ended[step]
        result[step] = later
    return result


def labelled(rollout: Rollout, policy: Policy, *, discount: float, trace: float) -> Batch:
    """The steps as a batch.

    Returns:
        Inputs float32 (T·N, F), the observations; labels float32 (T·N, 5), of each step the action, its
        log-probability, its advantage, its return (advantage and value together) and its value.
    """
    after = rollout.after.reshape(-1, rollout.after.shape[-1])
    next_values = policy(after)[:, -1].reshape(rollout.rewards.shape)
    gained = advantages(rollout, next_values, discount, trace)
    values = rollout.outputs[..., -1]
    logs = np.take_along_axis(log_softmax(rollout.outputs[..., :-1]), rollout.actions[..., None], axis=-1)[..., 0]
    columns = [rollout.actions, logs, gained, gained + values, values]
    labels = np.stack(columns, axis=-1).astype(np.float32).reshape(-1, len(columns))
    return Batch(rollout.observations.reshape(len(labels), -1), labels)


class Experience(Arrays):
    """The steps of a rollout as a source of batches, each shuffled anew in every epoch, the advantages of each batch
    shifted and scaled to mean 0 and deviation 1."""

    def __init__(self, steps: Batch) -> None:
        super().__init__(steps, shuffle=True)

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` of the epoch named by `key`."""
        batch = super().train(key, start, stop)
        labels = batch.labels.astype(np.float64)
        gained = labels[:, ADVANTAGE]
        labels[:, ADVANTAGE] = (gained - gained.mean()) / (gained.std() + TINY)
        return Batch(batch.inputs, labels.astype(np.float32))


def random_rollout(environment: str, seed: int, *, environments: int = 8, length: int = 128) -> Batch:
    """The steps of a policy that takes every action of two alike and knows no values, as `labelled` gives them."""
    rng, copies = generator("rollout", seed), Environments(environment, environments, seed)
    return labelled(collect(indifferent, copies, length, rng), indifferent, discount=0.99, trace=0.95)


def indifferent(observations: NDArray[Any]) -> NDArray[np.float64]:
    """Outputs (N, 3) of a policy that takes both of two actions alike, with values 0."""
    return np.zeros((len(observations), 3))


def returns(policy: Policy, environment: str, episodes: int, seed: int, *, greedy: bool = True) -> NDArray[np.float64]:
    """What whole episodes earn, (episodes,), each in a copy of its own.

    Args:
        policy: who acts.
        environment: gymnasium's name of the environment.
        episodes: number of episodes.
        seed: seed of the environments and of the actions.
        greedy: whether the likeliest action is taken, and not one that is drawn.
    """
    rng, copies = (
        generator("evaluation", seed),
        Environments(environment, episodes, generator("held out", seed).integers(2**31).item()),
    )
    earned, running = np.zeros(episodes), np.ones(episodes, bool)
    while running.any():
        logits = policy(copies.observations)[:, :-1]
        outcome = copies.step(logits.argmax(axis=-1) if greedy else sampled(logits, rng))
        earned += outcome.rewards * running
        running &= ~outcome.ended
    return earned
