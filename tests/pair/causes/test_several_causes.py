"""A pair with faults at several layers and within one: all are listed in order, each with its cause and its lines."""

import io
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from rich.console import Console
from torch import nn
from torch.nn import functional as F

from parity.pair.api import compare
from parity.pair.causes.search.explain import _once
from parity.pair.options import Checks
from parity.report.markdown import text as markdown
from parity.report.pair_terminal import show
from parity.report.records import Difference

X = np.random.default_rng(3).standard_normal((3, 5)).astype(np.float32)


class FlaxNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(5, 6, rngs=rngs)
        self.second = nnx.Linear(6, 7, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        h = self.first(jnp.tanh(x))
        h = self.second(jax.nn.softmax(3.0 * jax.nn.gelu(h, approximate=False), axis=-1))
        return 0.25 * h


class TorchNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(5, 6), nn.Linear(6, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(torch.tanh(x))
        h = self.second(torch.softmax(2.0 * F.silu(h), dim=-1))
        return 0.75 * h


def test_causes_within_one_piece_and_at_a_later_layer_are_listed() -> None:
    report = compare(FlaxNet(nnx.Rngs(0)), TorchNet(), X, checks=Checks(probes=False))
    first = report.first_difference
    assert first is not None
    said = [first.cause, *(each.cause for each in first.further)]
    assert len(said) == 3
    assert {"SiLU", "0.75"} <= {word for word in ("SiLU", "0.75") if word in " ".join(said)}
    assert "0.75" in said[2] and all(each.proof for each in (first, *first.further))
    assert "together with the other causes" in first.proof
    assert first.rest == "with all of them undone, what the networks return is the same in evaluation"
    out = io.StringIO()
    show(Console(file=out, width=200), report)
    for text in (out.getvalue(), markdown(report)):
        assert all(f"{number}. cause" in text for number in (1, 2, 3)) and first.rest in text


class FlaxStopped(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(5, 6, rngs=rngs)

    def __call__(self, x: jax.Array) -> Any:
        h = 2.0 * self.first(x)
        return jnp.tanh(h + jax.lax.stop_gradient(jnp.round(h) - h))


class TorchNotStopped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(torch.round(2.0 * self.first(x)))


def test_a_straight_through_estimator_of_one_side_is_named() -> None:
    report = compare(FlaxStopped(nnx.Rngs(0)), TorchNotStopped(), X, checks=Checks(probes=False))
    first = report.first_difference
    assert first is not None and first.rung == "gradients"
    assert first.cause.startswith("Flax stops the gradient of what sub gives") and not first.further
    assert "stop_gradient" in first.cause and first.lines["flax"].startswith("test_several_causes.py")
    assert first.rest == "with it undone, all gradients are the same in evaluation"


def test_two_causes_of_one_place_are_both_listed_where_their_words_are_the_same() -> None:
    def difference(place: str, cause: str) -> Difference:
        return Difference("forward", place, place, "differs", cause=cause, mend="mend it")

    first = [difference("a", "two parts are in another order"), difference("a", "two parts are in another order")]
    assert _once([first, [difference("b", "two parts are in another order")], [difference("c", "")]]) == [
        *first,
        difference("c", ""),
    ]
