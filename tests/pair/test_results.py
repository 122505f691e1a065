"""What networks return is compared as a tree, leaf by leaf, and convicts; what is inside only says where."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx, struct
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report
from tests.pair.asked import asked

X = np.random.default_rng(5).standard_normal((4, 5)).astype(np.float32)


class Port(nnx.Module):
    """A dense layer, and what is made of its output."""

    def __init__(self, head: Callable[[jax.Array], Any], training_head: Callable[[jax.Array], Any] | None = None):
        self.fc = nnx.Linear(5, 6, rngs=nnx.Rngs(0))
        self.heads = head, training_head or head

    def __call__(self, x: jax.Array, train: bool = False) -> Any:
        return self.heads[train](self.fc(x))


class Original(nn.Module):
    """Its twin."""

    def __init__(self, head: Callable[[torch.Tensor], Any], training_head: Callable[[torch.Tensor], Any] | None = None):
        super().__init__()
        self.fc = nn.Linear(5, 6)
        self.heads = head, training_head or head

    def forward(self, x: torch.Tensor) -> Any:
        return self.heads[self.training](self.fc(x))


def compared(flax: Any, pytorch: Any, x: np.ndarray = X, **options: Any) -> Report:
    return parity.compare(Port(flax), Original(pytorch), x, **asked(**{"probes": False, **options}))


def told(report: Report) -> str:
    """All that a report says of what differs, or was not ruled."""
    return " ".join(f"{f.name} {f.reason}" for rung in report.rungs for f in rung.findings if not f.verdict.passes)


class Pair(NamedTuple):
    mean: Any
    all: Any


@struct.dataclass
class FlaxOutput:
    hidden: Any = None
    logits: Any = None


SAME: dict[str, tuple[Any, Any]] = {
    "a dict that is filled in another order": (
        lambda y: {"z": jnp.tanh(y), "a": y, "m": {"q": y + 1, "b": y * 2}},
        lambda y: {"m": {"b": y * 2, "q": y + 1}, "a": y, "z": torch.tanh(y)},
    ),
    "whole numbers for keys": (lambda y: {2: y, 1: y + 1}, lambda y: {1: y + 1, 2: y}),
    "fields and keys of one name": (
        lambda y: FlaxOutput(logits=y, hidden=jnp.sin(y)),
        lambda y: {"logits": y, "hidden": torch.sin(y)},
    ),
    "a named tuple and a tuple": (lambda y: Pair(y.mean(), y), lambda y: (y.mean(), y)),
    "ids and their scores": (lambda y: (jnp.argmax(y, -1), y), lambda y: (y.argmax(-1), y)),
    "whole numbers of other widths": (lambda y: jnp.argsort(y, 1), lambda y: y.argsort(1).to(torch.int16)),
    "truth values": (lambda y: y > 0.1, lambda y: y > 0.1),
    "complex numbers": (lambda y: jnp.fft.rfft(y), lambda y: torch.fft.rfft(y)),
    "a number of Python's": (lambda y: (y, 3), lambda y: (y, 3)),
    "None in both": (lambda y: {"y": y, "loss": None}, lambda y: {"y": y}),
}


@pytest.mark.parametrize("kind", SAME)
def test_equal_trees_are_the_same(kind: str) -> None:
    report = compared(*SAME[kind])
    assert report.verdict is Verdict.SAME, told(report)
    assert any(line.proven for line in report.weights)


DIFFERENT: dict[str, tuple[Any, Any, str]] = {
    "the largest against the smallest": (lambda y: y.argmax(1), lambda y: y.argmin(1), "4 of 4 are not equal"),
    "ids beside equal scores": (
        lambda y: {"scores": y, "best": y.argmax(-1)},
        lambda y: {"scores": y, "best": y.argmax(-1).flip(0)},
        "['best']",
    ),
    "an order against its reverse": (
        lambda y: jnp.argsort(y, 1),
        lambda y: y.argsort(1, descending=True),
        "are not equal",
    ),
    "above against below": (lambda y: y > 0, lambda y: y < 0, "24 of 24 are not equal"),
    "one threshold against another": (lambda y: y > 0.3, lambda y: y > 0.1, "are not equal"),
    "a transform against its conjugate": (
        lambda y: jnp.fft.rfft(y),
        lambda y: torch.fft.rfft(y).conj(),
        ".imag",
    ),
    "a complex number against its size": (
        lambda y: jnp.fft.rfft(y),
        lambda y: torch.fft.rfft(y).abs(),
        "only Flax returns .imag",
    ),
    "another number of Python's": (lambda y: (y, 3), lambda y: (y, 4), "[1]"),
    "an axis of one more": (lambda y: y.sum(1), lambda y: y.sum(1, keepdim=True), "(4,) in Flax, (4, 1) in PyTorch"),
    "an axis of one in front": (lambda y: y[None], lambda y: y, "(1, 4, 6) in Flax, (4, 6) in PyTorch"),
    "a flattened result": (lambda y: y.ravel(), lambda y: y, "(24,) in Flax, (4, 6) in PyTorch"),
    "another key": (lambda y: {"y": y, "p": y}, lambda y: {"y": y, "q": y}, "only Flax returns ['p']; only PyTorch"),
    "other keys throughout": (lambda y: {"y": y}, lambda y: {"logits": y}, "['y'] in Flax, ['logits'] in PyTorch"),
    "an entry more": (lambda y: (y, y.mean()), lambda y: (y,), "only Flax returns [1]"),
    "None for an entry": (
        lambda y: {"y": y, "aux": None},
        lambda y: {"y": y, "aux": y.mean()},
        "only PyTorch returns ['aux']",
    ),
    "indices against floating numbers": (
        lambda y: y.argmax(1),
        lambda y: y.argmax(1).to(y.dtype),
        "whole numbers in Flax, floating numbers in PyTorch",
    ),
    "a mask against numbers": (lambda y: y > 0, lambda y: (y > 0).long(), "truth values in Flax, whole numbers"),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_other_trees_and_other_leaves_are_different_and_named(kind: str) -> None:
    flax, pytorch, words = DIFFERENT[kind]
    report = compared(flax, pytorch)
    assert report.verdict is Verdict.DIFFERENT
    assert words in told(report)
    assert report.first_difference is not None and "1 times" not in report.first_difference.cause


NOTHING: dict[str, tuple[Any, Any]] = {
    "both forget to return": (lambda y: None, lambda y: None),
    "only words": (lambda y: "done", lambda y: "done"),
    "only an empty array": (lambda y: y[:0], lambda y: y[:0]),
    "what no weight changes": (lambda y: jnp.zeros(3), lambda y: torch.zeros(3)),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_nothing_compared_is_no_pass(kind: str) -> None:
    assert compared(*NOTHING[kind]).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("flax", "pytorch", "name"),
    [
        (lambda y: {"y": y, "cache": y[:1]}, lambda y: {"y": y}, "extra_outputs"),
        (lambda y: y.max(1), lambda y: y.amax(1, keepdim=True), "output_shape"),
        (lambda y: y > 0, lambda y: (y > 0).int(), "output_kind"),
    ],
)
def test_what_is_said_of_a_tree_can_be_accepted_by_name(flax: Any, pytorch: Any, name: str) -> None:
    report = compared(flax, pytorch, accept=[name])
    assert report.verdict is Verdict.SAME, told(report)
    (one,) = report.conventions
    assert (one.name, one.confirmed, one.accepted) == (name, True, True)


def test_what_is_accepted_hides_nothing_else() -> None:
    report = compared(lambda y: {"y": y, "cache": y[:1]}, lambda y: {"y": y * 1.01}, accept=["extra_outputs"])
    assert report.verdict is Verdict.DIFFERENT
    nothing = compared(lambda y: {"cache": y[:1], "n": y}, lambda y: {"y": y}, accept=["extra_outputs"])
    assert not nothing.verdict.passes and "nothing was compared" in told(nothing)


def test_an_entry_of_training_alone_is_told() -> None:
    port = Port(lambda y: y, lambda y: (y, y.mean()))
    report = parity.compare(port, Original(lambda y: y), X, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT
    assert {f.mode for f in report.rungs[1].findings if not f.verdict.passes} == {"training"}
    both = parity.compare(port, Original(lambda y: y, lambda y: (y, y.mean())), X, checks=parity.Checks(probes=False))
    assert both.verdict is Verdict.SAME


def test_words_beside_numbers_are_said_to_be_not_compared() -> None:
    report = compared(lambda y: {"y": y, "name": "port"}, lambda y: {"y": y, "name": "original"})
    assert report.verdict is Verdict.SAME
    assert "Flax's result ['name'] is a str: not compared" in report.notes


def test_another_layout_is_accepted_and_noted() -> None:
    x = np.random.default_rng(1).standard_normal((2, 6, 4, 3)).astype(np.float32)
    port = nnx.Conv(3, 5, (3, 3), padding=1, rngs=nnx.Rngs(0))
    report = parity.compare(
        port, nn.Conv2d(3, 5, 3, 1, 1), x, to_torch="NHWC->NCHW", checks=parity.Checks(probes=False)
    )
    assert report.verdict is Verdict.SAME
    assert any("channels last to first" in note for note in report.notes)


TIES: dict[str, tuple[Any, Any]] = {
    "scores that are equal but for rounding": (
        lambda y: jnp.stack([y.sum(1) / 3, (y / 3).sum(1)], 1).argmax(1),
        lambda y: torch.stack([(y / 3).sum(1), y.sum(1) / 3], 1).argmax(1),
    ),
    "the first or the last of equal scores": (
        lambda y: (jnp.minimum(y, 0), jnp.minimum(y, 0).argmax(1)),
        lambda y: (y.clamp(max=0), 5 - y.clamp(max=0).flip(1).argmax(1)),
    ),
}


@pytest.mark.parametrize("kind", TIES)
def test_ties_are_told_from_differences(kind: str) -> None:
    report = compared(*TIES[kind], np.random.default_rng(2).standard_normal((64, 5)).astype(np.float32))
    assert report.verdict is not Verdict.DIFFERENT, told(report)


class Dead(nnx.Module):
    """A norm that is called once for nothing, and a hidden result beside the one that is used."""

    def __init__(self) -> None:
        self.norm, self.fc = nnx.LayerNorm(5, epsilon=1e-5, rngs=nnx.Rngs(0)), nnx.Linear(5, 2, rngs=nnx.Rngs(1))

    def __call__(self, x: jax.Array) -> jax.Array:
        self.norm(x)
        return self.fc(self.norm(x))


class Alive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.fc = nn.LayerNorm(5), nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.norm(x))


def test_a_call_whose_result_is_dropped_convicts_nobody() -> None:
    assert parity.compare(Dead(), Alive(), X, checks=parity.Checks(probes=False)).verdict is Verdict.SAME


class Spread(nnx.Module):
    """A block that returns what its caller does not use."""

    def __init__(self) -> None:
        self.fc = nnx.Linear(5, 3, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = self.fc(x)
        return y + 0, y**2


class FlaxUser(nnx.Module):
    def __init__(self) -> None:
        self.block, self.out = Spread(), nnx.Linear(3, 2, rngs=nnx.Rngs(1))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(self.block(x)[1])


class TorchSpread(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.fc(x)
        return y, y**2


class TorchUser(nn.Module):
    def __init__(self, power: int = 2) -> None:
        super().__init__()
        self.block, self.out = TorchSpread(), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.block(x)[1])


def test_the_gradient_of_what_only_one_side_uses_inside_convicts_nobody() -> None:
    assert parity.compare(FlaxUser(), TorchUser(), X, checks=parity.Checks(probes=False)).verdict is Verdict.SAME
