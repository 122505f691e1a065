"""A square array of layers of one's own is read as both networks use it, also where the networks differ."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


class Port(nnx.Module):
    """A layer whose weights are kept positive, inputs first."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.raw = nnx.Param(jax.random.normal(rngs.params(), (4, 4)))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(x @ jax.nn.softplus(self.raw[...]))


class Original(nn.Module):
    """The same by any product, whose weights may be left as they are."""

    def __init__(self, product: Any) -> None:
        super().__init__()
        self.raw, self.product = nn.Parameter(torch.randn(4, 4)), product

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.product(x, self.raw))


@pytest.mark.parametrize(
    ("product", "how"),
    [
        (lambda x, w: nn.functional.linear(x, w), "transposed"),
        (lambda x, w: x @ w.T, "transposed"),
        (lambda x, w: x @ w, "as it is"),
    ],
)
def test_one_cause_is_named_and_the_array_is_read_as_it_is_used(product: Any, how: str) -> None:
    report = parity.compare(Port(nnx.Rngs(0)), Original(product), X, checks=parity.Checks(probes=False))
    first = report.first_difference
    assert first is not None and "softplus" in first.cause and not first.further, first
    assert [line.how for line in report.weights] == [how]


class Flattened(nnx.Module):
    """Channels last: an activation, a flatten, two dense layers."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.conv = nnx.Conv(3, 5, (3, 3), padding=1, rngs=rngs)
        self.first, self.last = nnx.Linear(4 * 2 * 5, 3, rngs=rngs), nnx.Linear(3, 2, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jnp.tanh(self.conv(x))
        return self.last(jnp.tanh(self.first(x.reshape(x.shape[0], -1))))


class TorchFlattened(nn.Module):
    """Channels first, or last before the flatten; the activation is another one."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.conv, self.order = nn.Conv2d(3, 5, 3, padding=1), order
        self.first, self.last = nn.Linear(40, 3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.sigmoid(self.conv(x)).permute(0, *self.order)
        return self.last(torch.tanh(self.first(x.flatten(1))))


@pytest.mark.parametrize("order", [(1, 2, 3), (2, 3, 1)])
def test_rows_after_a_flatten_are_read_as_both_networks_flatten_though_they_differ(order: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).standard_normal((2, 4, 2, 3)).astype(np.float32)
    pair: tuple[Any, Any] = Flattened(), TorchFlattened(*order)
    report = parity.compare(*pair, images, to_torch="NHWC->NCHW", checks=parity.Checks(probes=False))
    first = report.first_difference
    assert first is not None and "sigmoid" in first.cause and not first.further, first
    assert first.rest == "with it undone, what the networks return is the same in evaluation"
