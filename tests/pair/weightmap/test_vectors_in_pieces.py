"""Vectors of a module of the user's own that one side holds in one and the other in two, as graph attentions do."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import linen
from torch import nn

import parity
from parity.checks.verdict import Verdict

RNG = np.random.default_rng(8)
NODES = RNG.standard_normal((6, 4)).astype(np.float32)
EDGES = (RNG.random((6, 6)) < 0.5) | np.eye(6, dtype=bool)


class Attention(linen.Module):
    """One head of a graph attention, whose scores are one vector times both ends of an edge."""

    size: int
    swapped: bool = False

    @linen.compact
    def __call__(self, x: jax.Array, edges: jax.Array) -> jax.Array:
        x = linen.Dense(self.size, use_bias=False)(x)
        a = self.param("a", linen.initializers.normal(), (2 * self.size, 1))
        ends = x @ a[: self.size], x @ a[self.size :]
        scores = linen.leaky_relu(ends[self.swapped] + ends[not self.swapped].T, 0.2)
        return jax.nn.softmax(jnp.where(edges, scores, -1e9)) @ x


class Port(linen.Module):
    swapped: bool = False

    @linen.compact
    def __call__(self, x: jax.Array, edges: jax.Array) -> jax.Array:
        x = linen.elu(Attention(8, self.swapped)(x, edges))
        return Attention(3, self.swapped)(x, edges)


class TorchAttention(nn.Module):
    """The same with a vector for each end of an edge."""

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        self.lin = nn.Linear(inputs, size, bias=False)
        self.att_src, self.att_dst = nn.Parameter(torch.randn(size)), nn.Parameter(torch.randn(size))

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        x = self.lin(x)
        scores = nn.functional.leaky_relu((x @ self.att_src)[:, None] + (x @ self.att_dst)[None], 0.2)
        return scores.masked_fill(~edges, -1e9).softmax(-1) @ x


class Graph(nn.Module):
    def __init__(self, turned: bool = False) -> None:
        super().__init__()
        self.first, self.second, self.turned = TorchAttention(4, 8), TorchAttention(8, 3), turned

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        x = nn.functional.elu(self.first(x, edges))
        return self.second(x, edges.T if self.turned else edges)


def verdict(port: linen.Module, pytorch: nn.Module) -> Verdict:
    inputs: Any = (NODES, EDGES)
    return parity.compare((port, port.init(jax.random.key(0), *inputs)), pytorch, inputs).verdict


@pytest.mark.parametrize("swapped", [False, True])
def test_a_vector_is_two_of_the_other_side(swapped: bool) -> None:
    assert verdict(Port(swapped), Graph()) is Verdict.SAME


def test_edges_that_are_turned_round_are_different() -> None:
    assert verdict(Port(), Graph(turned=True)) is not Verdict.SAME
