"""What becomes of arrays inside: results that are dropped, returned and used on, and masks that come in."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

import parity
from parity.checks.verdict import Verdict

X = np.random.default_rng(7).standard_normal((3, 4, 6)).astype(np.float32)
KEPT = np.arange(4) < np.array([[4], [2], [3]])


class Port(nnx.Module):
    """Two dense layers, a norm, and a function that says what is done with them."""

    def __init__(self, flow: Callable[..., Any]) -> None:
        draws = nnx.Rngs(0)
        self.a, self.b = nnx.Linear(6, 6, rngs=draws), nnx.Linear(6, 6, rngs=draws)
        self.norm, self.flow = nnx.LayerNorm(6, epsilon=1e-5, rngs=draws), flow

    def __call__(self, *inputs: jax.Array) -> Any:
        return self.flow(self, *inputs)


class Original(nn.Module):
    """Its twin."""

    def __init__(self, flow: Callable[..., Any]) -> None:
        super().__init__()
        self.a, self.b, self.norm, self.flow = nn.Linear(6, 6), nn.Linear(6, 6), nn.LayerNorm(6), flow

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.flow(self, *inputs)


def verdict(flax: Callable[..., Any], pytorch: Callable[..., Any], *inputs: np.ndarray) -> Verdict:
    given = (X, *inputs) if inputs else X
    return parity.compare(Port(flax), Original(pytorch), given, checks=parity.Checks(probes=False)).verdict


def plain(m: Any, x: Any) -> Any:
    return m.b(m.norm(m.a(x)))


def first_for_nothing(m: Any, x: Any) -> Any:
    m.norm(x + 1)
    return plain(m, x)


def last_for_nothing(m: Any, x: Any) -> Any:
    y = plain(m, x)
    m.b(m.a(y))
    return y


def of_one_example_for_nothing(m: Any, x: Any) -> Any:
    m.norm(m.a(x[:1]))
    return plain(m, x)


def beside(m: Any, x: Any) -> Any:
    return m.b(m.norm(m.a(x)) + x)


def activation_for_nothing(m: Any, x: Any) -> Any:
    y = m.norm(m.a(x))
    y.clip(0)  # its result is not assigned
    return m.b(y)


def activated(m: Any, x: Any) -> Any:
    return m.b(m.norm(m.a(x)).clip(0))


def norm_for_nothing(m: Any, x: Any) -> Any:
    y = m.a(x)
    m.norm(y)
    return m.b(y)


DROPPED: dict[str, tuple[Any, Any, bool]] = {
    "a call before, in Flax": (first_for_nothing, plain, True),
    "a call before, in PyTorch": (plain, first_for_nothing, True),
    "calls after": (last_for_nothing, plain, True),
    "a call on one example": (plain, of_one_example_for_nothing, True),
    "other calls in both": (first_for_nothing, last_for_nothing, True),
    "an activation": (activated, activation_for_nothing, False),
    "a norm": (norm_for_nothing, plain, False),
    "a shortcut": (beside, plain, False),
}


@pytest.mark.parametrize("kind", DROPPED)
def test_only_what_is_used_counts(kind: str) -> None:
    flax, pytorch, same = DROPPED[kind]
    assert verdict(flax, pytorch) is (Verdict.SAME if same else Verdict.DIFFERENT)


def hidden_too(m: Any, x: Any) -> Any:
    y = m.a(x)
    return m.b(y), y


def all_hidden(m: Any, x: Any) -> Any:
    states = [x]
    for layer in (m.a, m.norm, m.b):
        states.append(layer(states[-1]))
    return {"last": states[-1], "states": tuple(states)}


def copied(m: Any, x: Any) -> Any:
    y = m.a(x)
    return m.b(y * 1), y + 0


def changed_in_place(m: Any, x: torch.Tensor) -> Any:
    y = m.a(x)
    z = y.add_(1)
    return m.b(z - 1), y


def later(m: Any, x: Any) -> Any:
    y = m.a(x)
    return m.b(y), m.norm(y) * 0 + y + 1e-6


RETURNED: dict[str, tuple[Any, Any, bool]] = {
    "a hidden array": (hidden_too, hidden_too, True),
    "all hidden arrays": (all_hidden, all_hidden, True),
    "a copy of it": (hidden_too, copied, True),
    "cut off from the gradient": (hidden_too, lambda m, x: (lambda y: (m.b(y), y.detach()))(m.a(x)), False),
    "changed in place": (hidden_too, changed_in_place, False),
    "after a step more": (later, hidden_too, False),
    "in the place of another": (hidden_too, lambda m, x: hidden_too(m, x)[::-1], False),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_what_is_returned_may_be_used_inside(kind: str) -> None:
    flax, pytorch, same = RETURNED[kind]
    assert verdict(flax, pytorch) is (Verdict.SAME if same else Verdict.DIFFERENT)


def flax_attention(m: Any, x: jax.Array, kept: jax.Array) -> jax.Array:
    scores = m.a(x) @ m.b(x).swapaxes(1, 2) / np.sqrt(6)
    return jax.nn.softmax(jnp.where((kept != 0)[:, None, :], scores, -jnp.inf), -1) @ x


def torch_attention(m: Any, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(m.a(x), m.b(x), x, attn_mask=(kept != 0)[:, None, :])


def torch_additive(m: Any, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    scores = m.a(x) @ m.b(x).mT / 6**0.5 + (1.0 - kept.to(x.dtype))[:, None, :] * -1e9
    return scores.softmax(-1) @ x


def flax_mean(m: Any, x: jax.Array, kept: jax.Array) -> jax.Array:
    w = kept.astype(x.dtype)[..., None]
    return (m.norm(m.b(m.a(x))) * w).sum(1) / w.sum(1)


def torch_mean(m: Any, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    gone = (kept == 0)[..., None]
    return m.norm(m.b(m.a(x))).masked_fill(gone, 0).sum(1) / (~gone).sum(1)


def dropped(function: Any) -> Any:
    """The function with a mask of the other sense."""
    return lambda m, x, kept: function(m, x, 1 - kept if kept.dtype != torch.bool else ~kept)


MASKS: dict[str, tuple[Any, Any, Any, bool]] = {
    "truth values of keys": (flax_attention, torch_attention, bool, True),
    "whole numbers of keys": (flax_attention, torch_attention, np.int32, True),
    "what is added to the scores": (flax_attention, torch_additive, np.int32, True),
    "a mean over what is kept": (flax_mean, torch_mean, bool, True),
    "zeros and ones in float32": (flax_mean, torch_mean, np.float32, True),
    "queries for keys": (
        flax_attention,
        lambda m, x, kept: F.scaled_dot_product_attention(m.a(x), m.b(x), x, attn_mask=kept[..., None]),
        bool,
        False,
    ),
    "the other sense, in attention": (flax_attention, dropped(torch_attention), np.int32, False),
    "the other sense, in a mean": (flax_mean, dropped(torch_mean), bool, False),
    "a mean over all": (
        flax_mean,
        lambda m, x, kept: (m.norm(m.b(m.a(x))) * kept[..., None]).mean(1),
        np.float32,
        False,
    ),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_come_in(kind: str) -> None:
    flax, pytorch, dtype, same = MASKS[kind]
    kept = KEPT if "other" not in kind and "queries" not in kind else np.roll(KEPT, 1, 1) & (np.arange(4) < 3)
    assert verdict(flax, pytorch, kept.astype(dtype)) is (Verdict.SAME if same else Verdict.DIFFERENT)
