"""Training an agent by PPO: its policy gathers steps in NumPy, and a framework's session learns from them.

The loop of other runs takes batches that are there before the first step, ahead of their use and in any order. Here the
weights decide what comes next, so that this loop is one of its own; networks, losses, optimizers and sessions are those
of all runs. Source: https://arxiv.org/abs/1707.06347 and
https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import weights as files
from parity.backends import Session, Twin
from parity.data import Batch
from parity.data.arguments import generator
from parity.data.rollouts.collect import Experience, Policy, collect, indifferent, labelled, returns
from parity.data.rollouts.environments import Environments
from parity.files import write_atomically
from parity.interface import random as initial
from parity.interface.frameworks import backend_of
from parity.interface.trace import Arrays
from parity.recipes import Recipe, Rollouts
from parity.reference import NETWORKS
from parity.training.diverged import DivergedError
from parity.training.folder import METRICS, SUMMARY, require_empty
from parity.training.journal import Journal, Line

EPISODES = 100
"""Episodes of an evaluation."""
WEIGHTS = "weights.safetensors"


def policy_of(recipe: Recipe, weights: Arrays) -> Policy:
    """The policy of some weights as the reference computes it, in float64, whichever framework they come from."""
    network = NETWORKS[recipe.network](**recipe.config)

    def policy(observations: NDArray[Any]) -> NDArray[np.float64]:
        return network.forward(weights, observations, training=False).logits

    return policy


def train_policy(
    recipe: Recipe,
    twin: Twin,
    *,
    seed: int = 0,
    steps: int | None = None,
    out: Path | None = None,
    tell: Callable[[Line], None] = lambda line: None,
) -> dict[str, Any]:
    """Train from the initial weights, which the seed draws alike for every framework, and evaluate at the end.

    Args:
        recipe: a recipe with rollouts.
        twin: the network to train; its weights are overwritten.
        seed: seed of the weights, the environments, the actions and the order of the steps.
        steps: optimizer steps; None takes the recipe's. The learning rate falls to 0 in equal parts, one a rollout.
        out: a new or empty folder for metrics, summary and weights; None keeps nothing.
        tell: called with the line of each rollout.

    Returns:
        the summary: what whole episodes of the trained policy earn, which takes the likeliest action, and what those of
        a random one earn.

    Raises:
        UsageError: gymnasium is not installed, or the folder holds something already or cannot be written.
        DivergedError: the loss is not finite.
    """
    if out is not None:
        require_empty(out)
        out.mkdir(parents=True, exist_ok=True)
    rollouts, total = _rollouts(recipe), steps or recipe.steps or 0
    twin.load(initial.draw(twin.shapes(), recipe.init, seed))
    session = twin.session(recipe.optimizer)
    with Journal(None if out is None else out / METRICS, []) as journal:
        for line in _learnt(recipe, session, total, seed):
            journal.append(line)
            tell(line)
    trained = session.state().weights
    earned = returns(policy_of(recipe, trained), rollouts.environment, EPISODES, seed)
    by_chance = returns(indifferent, rollouts.environment, EPISODES, seed, greedy=False)
    summary = {
        "recipe": recipe.name,
        "backend": backend_of(twin.framework),
        "device": twin.device,
        "precision": twin.precision,
        "environment": rollouts.environment,
        "seed": seed,
        "steps": total,
        "environment_steps": journal.lines[-1]["environment_steps"],
        "episodes": EPISODES,
        "mean_return": float(earned.mean()),
        "least_return": float(earned.min()),
        "random_mean_return": float(by_chance.mean()),
        "seconds": journal.lines[-1]["seconds"],
    }
    if out is not None:
        files.save(trained, out / WEIGHTS)
        write_atomically(out / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return summary


def _rollouts(recipe: Recipe) -> Rollouts:
    assert recipe.rollouts is not None, f"{recipe.name} has no rollouts"
    return recipe.rollouts


def _learnt(recipe: Recipe, session: Session[Any], total: int, seed: int) -> Iterator[Line]:
    """Gather and learn until `total` optimizer steps are taken; the line of each rollout."""
    rollouts, started = _rollouts(recipe), time.perf_counter()
    environments = Environments(rollouts.environment, rollouts.environments, seed)
    number = 0
    while session.step < total:
        policy, before = policy_of(recipe, session.state().weights), len(environments.finished)
        steps = collect(policy, environments, rollouts.length, generator("actions", seed, number))
        experience = labelled(steps, policy, discount=rollouts.discount, trace=rollouts.trace)
        batches = list(minibatches(experience, recipe, seed, number))[: total - session.step]
        rate = recipe.optimizer.learning_rate * (1 - session.step / total)
        losses, _ = session.advance(batches, [rate] * len(batches)).fetch()
        if not np.isfinite(losses).all():
            first = session.step - len(losses) + int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
            raise DivergedError(
                f"training diverged: the loss of step {first} is not finite; try a smaller learning rate"
            )
        number += 1
        ended = environments.finished[before:]
        yield {
            "kind": "rollout",
            "step": session.step,
            "environment_steps": number * len(experience.labels),
            "loss": float(losses.mean()),
            "episodes": len(ended),
            "mean_return": float(np.mean(ended)) if ended else None,
            "actions": digest(steps.actions),
            "seconds": time.perf_counter() - started,
        }


def minibatches(experience: Batch, recipe: Recipe, seed: int, number: int) -> Iterator[Batch]:
    """The batches of one rollout, each epoch in an order of its own; the last of an epoch may be smaller."""
    source = Experience(experience)
    for epoch in range(_rollouts(recipe).epochs):
        for start in range(0, source.size, recipe.batch_size):
            yield source.train(("rollout", seed, number, epoch), start, min(start + recipe.batch_size, source.size))


def digest(actions: NDArray[np.int64]) -> str:
    """SHA-256 of the actions: whether two runs did the same."""
    return Batch(actions, actions[:0]).digest()
