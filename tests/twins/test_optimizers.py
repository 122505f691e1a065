"""Both frameworks' optimizers, clipping and loss, on a tiny example in float64."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import jaxnets.losses
import jaxnets.optimizers
import torchnets.losses
import torchnets.optimizers
from tests.backends.small import close

RATE = 0.1
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "adam": ("adam", {"betas": (0.9, 0.99), "eps": 1e-3, "weight_decay": 0.0}),
    "adam with L2": ("adam", {"betas": (0.9, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    "rmsprop": ("rmsprop", {"alpha": 0.9, "eps": 1e-3}),
    "sgd": ("sgd", {"momentum": 0.0}),
    "sgd with momentum": ("sgd", {"momentum": 0.9}),
}


def numbers() -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return rng.standard_normal(5), [size * rng.standard_normal(5) for size in (1.0, 1e-2, 1e-4, 1.0)]


def jax_run(transformation: optax.GradientTransformation) -> Any:
    values, stream = numbers()
    parameter = jnp.asarray(values)
    state = transformation.init(parameter)
    step = jax.jit(transformation.update)
    for gradient in stream:
        updates, state = step(jnp.asarray(gradient), state, parameter)
        parameter = optax.apply_updates(parameter, updates)
    return np.asarray(parameter)


def torch_run(make: Callable[..., torch.optim.Optimizer], options: dict[str, Any]) -> Any:
    values, stream = numbers()
    parameter = torch.tensor(values, requires_grad=True)
    optimizer = make([parameter], RATE, **options)
    for gradient in stream:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return parameter.detach().numpy()


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_optimizers_agree(case) -> None:
    name, options = OPTIMIZERS[case]
    with jax.enable_x64(True):
        ours = jax_run(getattr(jaxnets.optimizers, name)(RATE, **options))
    assert close(ours, torch_run(getattr(torchnets.optimizers, name), options))


@pytest.mark.parametrize("case", [case for case in OPTIMIZERS if case != "sgd"])
def test_every_option_reaches_both(case) -> None:
    name, options = OPTIMIZERS[case]
    sound = torch_run(getattr(torchnets.optimizers, name), options)
    for option, value in options.items():
        changed: Any = {**options, option: (0.8, 0.98) if option == "betas" else value / 2 + 0.01}
        with jax.enable_x64(True):
            ours = jax_run(getattr(jaxnets.optimizers, name)(RATE, **changed))
        assert close(ours, torch_run(getattr(torchnets.optimizers, name), changed)) and not close(ours, sound), option


@pytest.mark.parametrize("max_norm", [0.1, 13.0, 20.0])
def test_clipping_agrees_with_pytorchs_own(max_norm) -> None:
    gradients = [np.array([3.0, 4.0]), np.array([[12.0]])]  # norm 13
    with jax.enable_x64(True):
        transformation = jaxnets.optimizers.clip_by_global_norm(max_norm)
        ours, _ = transformation.update([jnp.asarray(g) for g in gradients], optax.EmptyState())
        ours = [np.asarray(g) for g in ours]
    given = [torch.tensor(g) for g in gradients]
    theirs = torchnets.optimizers.clip_by_global_norm(given, max_norm)
    own = [torch.zeros_like(g) for g in given]
    for parameter, gradient in zip(own, gradients, strict=True):
        parameter.grad = torch.tensor(gradient)
    torch.nn.utils.clip_grad_norm_(own, max_norm)
    for i, gradient in enumerate(gradients):
        expected = own[i].grad
        assert expected is not None
        assert close(theirs[i].numpy(), expected.numpy()) and close(ours[i], expected.numpy())
        assert np.array_equal(given[i].numpy(), gradient)
        assert np.array_equal(theirs[i].numpy(), gradient) == (max_norm > 13)


def test_clipping_gradients_of_zero_gives_zero() -> None:
    ours, _ = jaxnets.optimizers.clip_by_global_norm(1.0).update([jnp.zeros(3)], optax.EmptyState())
    (theirs,) = torchnets.optimizers.clip_by_global_norm([torch.zeros(3)], 1.0)
    assert np.array_equal(ours[0], np.zeros(3)) and np.array_equal(theirs.numpy(), np.zeros(3))


@pytest.mark.parametrize("size", [1.0, 1e3])
def test_losses_agree(size) -> None:
    logits, labels = size * np.random.default_rng(0).standard_normal((7, 5)), np.arange(7) % 5
    with jax.enable_x64(True):
        ours = np.asarray(jaxnets.losses.cross_entropy(jnp.asarray(logits), jnp.asarray(labels)))
    theirs = torchnets.losses.cross_entropy(torch.tensor(logits), torch.tensor(labels)).numpy()
    shifted = logits - logits.max(1, keepdims=True)
    exact = (np.log(np.exp(shifted).sum(1)) - shifted[np.arange(7), labels]).mean()
    assert close(ours, theirs) and close(ours, np.asarray(exact))
