"""The mixture of experts beyond what its recipe shows: ties, the auxiliary loss, and the form that Mixtral has."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

import jaxnets
import torchnets
from parity.backends import twin_class
from parity.interface import random as initial
from parity.reference import MoE
from parity.reference.zoo.layers.experts import choose_forward, load_balance_forward
from tests.reference.numeric import Case
from tests.zoo.small import inputs, recipe, reference, twin, weights
from tests.zoo.test_reference import wrong_gradients

MIXTRAL: dict[str, Any] = {"dense_blocks": 0, "shared_hidden": 0, "renormalize": True}
TIED = np.array([[0.25, 0.5, 0.25, 0.0], [0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.4, 0.1]])


def test_among_equal_shares_the_lower_number_is_chosen() -> None:
    by_hand = choose_forward(TIED, 2, renormalize=False)
    assert by_hand[1].tolist() == [[1, 0], [0, 1], [1, 2]]
    flax = jaxnets.layers.RoutedFeedForward(3, 4, 2, 5, 0, renormalize=False, init="normal", rngs=nnx.Rngs(0))
    pytorch = torchnets.layers.RoutedFeedForward(3, 4, 2, 5, 0, renormalize=False, init="normal", generator=None)
    for shares, chosen in (flax.choose(jnp.array(TIED)), pytorch.choose(torch.tensor(TIED))):
        assert np.array_equal(chosen, by_hand[1]) and np.allclose(shares, by_hand[0])


def test_the_auxiliary_loss_is_one_in_balance_and_more_elsewhere() -> None:
    even, chosen = np.full((6, 3), 1 / 3), np.arange(6)[:, None] % 3
    one_sided = np.tile([0.8, 0.1, 0.1], (6, 1))
    for shares, experts, expected in ((even, chosen, 1.0), (one_sided, np.zeros((6, 1), int), 2.4)):
        assert load_balance_forward(shares, experts) == pytest.approx(expected)
        flax = jaxnets.layers.load_balance(jnp.array(shares), jnp.array(experts))
        pytorch = torchnets.layers.load_balance(torch.tensor(shares), torch.tensor(experts))
        assert float(flax) == pytest.approx(expected) and float(pytorch) == pytest.approx(expected)


def test_the_auxiliary_loss_and_its_gradients_are_the_same() -> None:
    flax, pytorch = twin("flax", "moe"), twin("torch", "moe")
    tokens = inputs("moe")

    def balance(state: Any) -> Any:
        return flax.graph.merged(state, training=False).balanced(jnp.array(tokens))[1]  # type: ignore[attr-defined] # Flax's own

    with flax.setting():
        loss, gradients = jax.value_and_grad(balance)(flax.variables)  # type: ignore[attr-defined] # Flax's own
        ours = flax.canonical(gradients)  # type: ignore[attr-defined] # Flax's own
    logits, other = pytorch.model.balanced(torch.tensor(tokens))
    names = [name for name, _ in pytorch.model.named_parameters()]
    found = torch.autograd.grad(other, list(pytorch.model.parameters()), allow_unused=True, materialize_grads=True)
    theirs = pytorch.canonical(dict(zip(names, found, strict=True)))  # type: ignore[attr-defined] # PyTorch's own
    assert float(loss) == pytest.approx(other.item(), rel=1e-12) and float(loss) > 1
    assert all(np.allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-15) for name in ours)
    assert np.abs(ours["blocks.1.mlp.router.kernel"]).max() > 1e-4
    np.testing.assert_allclose(logits.detach(), pytorch.forward(tokens, training=False))
    run = reference("moe").forward(weights("moe"), tokens, training=False)
    cache = run.cache["blocks.1.mlp"]
    assert load_balance_forward(cache.probabilities, cache.chosen) == pytest.approx(float(loss), rel=1e-9)


def test_the_form_of_mixtral_is_the_same_and_its_backward_the_derivative() -> None:
    config = {**recipe("moe").config, **MIXTRAL}
    network = MoE(**config)
    drawn = initial.draw(network.shapes(), "probe", 0)
    logits = {}
    for framework in ("flax", "torch", "numpy"):
        cls = twin_class(framework)
        found = cls(cls.build("MoE", config))
        found.load(drawn)
        logits[framework] = found.forward(inputs("moe"), training=False)
    for framework in ("flax", "torch"):
        np.testing.assert_allclose(logits[framework], logits["numpy"], rtol=1e-9, atol=1e-12)
    cotangent = np.random.default_rng(2).normal(size=logits["numpy"].shape)
    assert wrong_gradients(Case(network, drawn, inputs("moe"), cotangent)) == set()


def test_the_docstring_s_keywords_are_mixtral_8x7b() -> None:
    large: dict[str, Any] = {
        "vocab_size": 32000,
        "width": 4096,
        "depth": 32,
        "heads": 32,
        "key_value_heads": 8,
        "theta": 1e6,
    }
    experts: dict[str, Any] = {"experts": 8, "experts_per_token": 2, "hidden": 14336}
    with torch.device("meta"):
        network = torchnets.MoE(**large, **experts, **MIXTRAL)
    assert sum(parameter.numel() for parameter in network.parameters()) == 46_702_792_704
