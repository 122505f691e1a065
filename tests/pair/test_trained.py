"""Which arrays are trained, used and how they are stored is part of what makes two networks the same."""

from typing import Any

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.report.pair import Report
from tests.pair.asked import asked

X = np.random.default_rng(3).standard_normal((4, 5)).astype(np.float32)


class Port(nnx.Module):
    """Two dense layers, the first of which may be frozen, and a table that may be a variable."""

    def __init__(self, stop: str = "", kind: type = nnx.Param, spare: bool = False) -> None:
        self.first, self.last = nnx.Linear(5, 6, rngs=nnx.Rngs(0)), nnx.Linear(6, 3, rngs=nnx.Rngs(1))
        self.shift, self.stop = kind(jnp.ones(6)), stop
        if spare:
            self.spare = nnx.Linear(4, 9, rngs=nnx.Rngs(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        shift = self.shift[...]
        y = self.first(x) + (jax.lax.stop_gradient(shift) if self.stop == "shift" else shift)
        return self.last(jnp.tanh(jax.lax.stop_gradient(y) if self.stop == "all" else y))


class Original(nn.Module):
    """Its twin, whose shift may be a buffer."""

    def __init__(self, buffer: bool = False, detach: bool = False, spare: bool = False) -> None:
        super().__init__()
        self.first, self.last, self.detach = nn.Linear(5, 6), nn.Linear(6, 3), detach
        if buffer:
            self.register_buffer("shift", torch.ones(6))
        else:
            self.shift = nn.Parameter(torch.ones(6))
        if spare:
            self.spare = nn.Linear(4, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(x) + self.shift
        return self.last(torch.tanh(y.detach() if self.detach else y))


def frozen(model: nn.Module, *names: str) -> nn.Module:
    """The model with those parameters frozen."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(names))
    return model


def compared(port: Any, model: nn.Module, **options: Any) -> Report:
    return parity.compare(port, model, X, **asked(**{"probes": False, **options}))


def told(report: Report) -> str:
    return " ".join(f"{f.name} {f.reason}" for rung in report.rungs for f in rung.findings if not f.verdict.passes)


@pytest.mark.parametrize(
    ("port", "model", "names"),
    [
        (Port(), frozen(Original(), "first"), ["first.weight", "requires_grad=False"]),
        (Port(), Original(buffer=True), ["shift is a buffer in PyTorch"]),
        (Port(kind=nnx.Variable), Original(), ["shift is trained in PyTorch"]),
        (Port(), frozen(Original(), "first", "last", "shift"), ["last.bias"]),
    ],
)
def test_what_one_side_trains_is_different_at_the_structure_and_can_be_accepted(
    port: Port, model: nn.Module, names: list[str]
) -> None:
    report = compared(port, model)
    assert report.verdict is Verdict.DIFFERENT
    assert report.first_difference is not None and report.first_difference.rung == "structure"
    assert all(name in told(report) for name in names)
    assert compared(port, model, accept=["frozen"]).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("port", "model"),
    [
        (Port(stop="shift"), frozen(Original(), "shift")),
        (Port(stop="shift"), Original(buffer=True)),
        (Port(stop="all"), Original(detach=True)),
        (Port(kind=nnx.Variable), Original(buffer=True)),
        (Port(kind=nnx.Variable), frozen(Original(), "shift")),
    ],
)
def test_what_is_frozen_on_both_sides_is_the_same(port: Port, model: nn.Module) -> None:
    report = compared(port, model)
    assert report.verdict is Verdict.SAME, told(report)


class Marking(Original):
    """It asks for gradients of what it makes of its inputs, as networks do whose first layers may be frozen."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x[:, None]
        if self.training:
            rows.requires_grad = True
        return super().forward(rows.requires_grad_()[:, 0])


def test_a_network_may_ask_for_gradients_of_what_it_makes_of_its_inputs() -> None:
    report = compared(Port(), Marking())
    assert report.verdict is Verdict.SAME, told(report)
    assert {rung.name for rung in report.rungs if rung.verdict is Verdict.SAME} >= {"forward", "gradients"}


def test_a_stopped_gradient_on_one_side_is_different() -> None:
    assert compared(Port(stop="shift"), Original()).verdict is Verdict.DIFFERENT
    assert compared(Port(stop="all"), Original()).verdict is Verdict.DIFFERENT
    assert compared(Port(), Original(detach=True)).verdict is Verdict.DIFFERENT


class FixedNorm(fnn.Module):
    """A norm by running statistics, all four of which are held in a collection of their own."""

    collection: str

    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = fnn.Dense(6)(x)
        make = (lambda n, f: self.param(n, f)) if self.collection == "params" else self._variable
        scale, var = (make(name, lambda *_: jnp.ones(6)) for name in ("scale", "var"))
        bias, mean = (make(name, lambda *_: jnp.zeros(6)) for name in ("bias", "mean"))
        return fnn.Dense(2)((x - mean) / jnp.sqrt(var + 1e-5) * scale + bias)

    def _variable(self, name: str, make: Any) -> jax.Array:
        return self.variable(self.collection, name, make).value


class TorchFixedNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 6), nn.Linear(6, 2)
        for name in ("scale", "var", "bias", "mean"):
            self.register_buffer(name, torch.ones(6) if name in ("scale", "var") else torch.zeros(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale, var, bias, mean = map(self.get_buffer, ("scale", "var", "bias", "mean"))
        return self.b((self.a(x) - mean) / torch.sqrt(var + 1e-5) * scale + bias)


@pytest.mark.parametrize(("collection", "verdict"), [("fixed", Verdict.SAME), ("params", Verdict.DIFFERENT)])
def test_a_norm_that_is_frozen_on_one_side_or_on_both(collection: str, verdict: Verdict) -> None:
    port = FixedNorm(collection)
    assert compared((port, port.init(jax.random.key(0), X)), TorchFixedNorm()).verdict is verdict


@pytest.mark.parametrize(
    ("port", "model"),
    [(Port(), Original(spare=True)), (Port(spare=True), Original())],
)
def test_parameters_that_nothing_uses_are_told_and_can_be_accepted(port: Port, model: nn.Module) -> None:
    report = compared(port, model)
    assert report.verdict is Verdict.DIFFERENT and report.rungs[0].verdict is Verdict.DIFFERENT
    assert "nothing uses it" in told(report) and "spare" in told(report)
    assert compared(port, model, accept=["unused_parameters"]).verdict is Verdict.SAME


@pytest.mark.parametrize("narrow", [torch.float16, torch.bfloat16])
def test_a_network_that_is_stored_in_half_precision_on_one_side(narrow: torch.dtype) -> None:
    report = compared(Port(), Original().to(narrow))
    assert report.verdict is Verdict.DIFFERENT
    assert report.first_difference is not None and "the same formula" in report.first_difference.text
    assert str(narrow).removeprefix("torch.") in told(report)
    assert compared(Port(), Original().to(narrow), accept=["stored_dtype"]).verdict is Verdict.SAME


def test_double_precision_is_no_difference() -> None:
    assert compared(Port(), Original().double()).verdict is Verdict.SAME


def test_an_optimizer_over_other_parameters_is_one_clear_error() -> None:
    optimizers = optax.sgd(0.1), torch.optim.SGD(Original().parameters(), 0.1)
    with pytest.raises(UsageError, match="none of the network's parameters"):
        compared(Port(), Original(), optimizers=optimizers)


def masked(*frozen_names: str) -> optax.GradientTransformation:
    """SGD that leaves the parameters of these names as they are."""
    return optax.chain(
        optax.sgd(0.1),
        optax.masked(
            optax.set_to_zero(),
            lambda tree: jax.tree_util.tree_map_with_path(lambda path, _: path[0].key in frozen_names, tree),
        ),
    )


def test_what_an_optimizer_leaves_as_it_is_is_not_trained() -> None:
    port, model = Port(), Original()
    some = torch.optim.SGD([p for n, p in model.named_parameters() if not n.startswith("first")], 0.1)
    alike = compared(port, model, optimizers=(masked("first"), some))
    assert alike.rungs[0].verdict is Verdict.SAME, told(alike)
    for optimizers in ((masked("first"), torch.optim.SGD(model.parameters(), 0.1)), (optax.sgd(0.1), some)):
        report = compared(port, model, optimizers=optimizers)
        assert report.verdict is Verdict.DIFFERENT
        assert "left as it is by the optimizer" in told(report) and "first.weight" in told(report)
    half = frozen(Original(), "first")
    halves = compared(port, half, optimizers=(masked("first"), torch.optim.SGD(half.parameters(), 0.1)))
    assert halves.rungs[0].verdict is Verdict.SAME, told(halves)
