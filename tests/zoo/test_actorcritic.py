"""The agent's network: one trunk or two, its first weights, and PPO's objective against other ways to compute it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch.distributions import Categorical

import jaxnets
import torchnets
from jaxnets import losses as jaxlosses
from parity.backends import twin_class
from parity.interface import random as initial
from parity.reference import ActorCritic
from parity.reference.zoo.actorcritic import clipped_policy
from tests.backends.small import close
from tests.reference.numeric import Case, agrees
from tests.zoo.test_reference import wrong_gradients
from torchnets import losses as torchlosses

SHARED: dict[str, Any] = {"observations": 3, "actions": 5, "hidden": (7,), "shared": True}


def steps(seed: int = 0, count: int = 23) -> tuple[Any, Any]:
    """Outputs (23, 4) of three actions, and what is known of the steps, some beyond the clipping on each side."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(count, 4))
    known = rng.normal(size=(count, 5))
    known[:, 0] = rng.integers(0, 3, count)
    known[:, 1] = np.log(rng.uniform(0.1, 0.9, count))
    known[:, 4] = outputs[:, 3] + rng.uniform(-0.5, 0.5, count)
    return outputs, known


def by_distribution(outputs: Any, known: Any) -> float:
    """The objective by PyTorch's distribution, step by step in plain Python."""
    total = 0.0
    for row, (action, old, advantage, earned, old_value) in zip(outputs, known, strict=True):
        policy = Categorical(logits=torch.tensor(row[:-1]))
        ratio = float((policy.log_prob(torch.tensor(action)) - old).exp())
        kept = min(max(ratio, 0.8), 1.2)
        near = old_value + min(max(row[-1] - old_value, -0.2), 0.2)
        total -= min(ratio * advantage, kept * advantage) + 0.01 * float(policy.entropy())
        total += 0.25 * max((row[-1] - earned) ** 2, (near - earned) ** 2)
    return total / len(outputs)


def test_the_objective_is_what_the_paper_says_in_all_three() -> None:
    outputs, known = steps()
    expected = by_distribution(outputs, known)
    assert clipped_policy(outputs, known)[0] == pytest.approx(expected, rel=1e-12)
    assert float(torchlosses.clipped_policy(torch.tensor(outputs), torch.tensor(known))) == pytest.approx(expected)
    with jax.enable_x64(True):
        assert float(jaxlosses.clipped_policy(jnp.asarray(outputs), jnp.asarray(known))) == pytest.approx(expected)


def test_the_objectives_gradient_is_its_derivative_in_all_three() -> None:
    outputs, known = steps(1)
    _, by_hand = clipped_policy(outputs, known)
    assert agrees(lambda at: clipped_policy(at, known)[0], outputs, by_hand, np.random.default_rng(3))
    given = torch.tensor(outputs, requires_grad=True)
    (found,) = torch.autograd.grad(torchlosses.clipped_policy(given, torch.tensor(known)), given)
    np.testing.assert_allclose(found.numpy(), by_hand, rtol=1e-9, atol=1e-12)
    with jax.enable_x64(True):
        in_jax = jax.grad(jaxlosses.clipped_policy)(jnp.asarray(outputs), jnp.asarray(known))
    np.testing.assert_allclose(in_jax, by_hand, rtol=1e-9, atol=1e-12)


def test_beyond_the_clipping_a_better_action_pulls_no_more() -> None:
    outputs = np.array([[2.0, 0.0, 1.0], [2.0, 0.0, 1.0]])
    known = np.array([[0, -2.0, 1.0, 1.0, 1.0], [0, -2.0, -1.0, 1.0, 1.0]])
    _, gradient = clipped_policy(outputs, known)
    entropy_only = clipped_policy(outputs, known * [1, 1, 0, 1, 1])[1]
    assert np.allclose(gradient[0], entropy_only[0]) and not np.allclose(gradient[1], entropy_only[1])


def test_one_trunk_for_both_is_the_same_in_all_three() -> None:
    network = ActorCritic(**SHARED)
    weights = initial.draw(network.shapes(), "probe", 0)
    x = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
    outputs = {}
    for framework in ("flax", "torch", "numpy"):
        cls = twin_class(framework)
        found = cls(cls.build("ActorCritic", SHARED))
        found.load(weights)
        outputs[framework] = found.forward(x, training=True)
    assert outputs["numpy"].shape == (2, 6)
    assert close(outputs["flax"], outputs["numpy"]) and close(outputs["torch"], outputs["numpy"])
    rng = np.random.default_rng(2)
    assert wrong_gradients(Case(network, weights, rng.normal(size=(4, 3)), rng.normal(size=(4, 6)))) == set()


def kernels(made: Any) -> dict[str, Any]:
    """Kernels (in, out) by path, of either framework."""
    if isinstance(made, nnx.Module):
        found = {".".join(map(str, p)): v[...] for p, v in nnx.to_flat_state(nnx.state(made, nnx.Param))}
        return {name.removesuffix(".kernel"): np.asarray(a) for name, a in found.items() if name.endswith(".kernel")}
    return {n.removesuffix(".weight"): p.detach().numpy().T for n, p in made.named_parameters() if p.ndim == 2}


@pytest.mark.parametrize(
    "made", [jaxnets.ActorCritic(rngs=nnx.Rngs(0)), torchnets.ActorCritic(generator=torch.Generator().manual_seed(0))]
)
def test_first_kernels_are_orthogonal_with_the_usual_gains(made: Any) -> None:
    found = kernels(made)
    drawn = initial.draw({f"{name}.kernel": kernel.shape for name, kernel in found.items()}, "ppo", 0)
    assert len(found) == 6
    for name, kernel in found.items():
        gain = {"policy": 0.01, "value": 1.0}.get(name, 2**0.5)
        for each in (kernel, drawn[f"{name}.kernel"]):
            short = each if each.shape[0] <= each.shape[1] else each.T
            np.testing.assert_allclose(short @ short.T, gain**2 * np.eye(len(short)), atol=1e-5 * gain**2)
