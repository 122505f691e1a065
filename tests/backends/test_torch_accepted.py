"""What is taken as a PyTorch network: wrappers are looked through, what cannot be compared is one sentence."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.errors import UsageError

X = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)


class Port(nnx.Module):
    def __init__(self) -> None:
        self.a, self.b = nnx.Linear(8, 16, rngs=nnx.Rngs(0)), nnx.Linear(16, 4, rngs=nnx.Rngs(1))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.b(jnp.tanh(self.a(x)))


class Original(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.tanh(self.a(x)))


class Hidden(nn.Module):
    """Holds its layers in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = [nn.Linear(8, 16), nn.Linear(16, 4)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.parts[1](torch.tanh(self.parts[0](x)))


def inside() -> nn.Module:
    model = Original()
    model.a.compile(backend="eager")
    return model


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return Original()


def quantised() -> Any:
    return torch.ao.quantization.quantize_dynamic(Original(), {nn.Linear}, dtype=torch.qint8)


def compared(model: Any) -> parity.Report:
    return parity.compare(Port(), model, X, checks=parity.Checks(probes=False))


@pytest.mark.parametrize(
    "make", [lambda: torch.compile(Original(), backend="eager"), lambda: nn.DataParallel(Original()), inside]
)
def test_a_wrapper_is_looked_through(make: Callable[[], Any]) -> None:
    report = compared(make())
    assert report.verdict is Verdict.SAME
    assert {line.torch for line in report.weights} == {"a.weight", "a.bias", "b.weight", "b.bias"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (on_meta, r"a\.weight on the meta device.*to_empty"),
        (lambda: torch.jit.script(Original()), r"scripted or traced.*give the nn\.Module"),
        (lambda: torch.jit.trace(Original(), torch.tensor(X)), r"scripted or traced"),
        (quantised, r"a \(.*quantised.*before it is quantised"),
        (Hidden, r"plain list at parts.*nn\.ModuleList"),
        (lambda: torch.tanh, r"expected an nn\.Module"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*quanti.*")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_what_cannot_be_compared_is_one_sentence(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compared(make())


def test_a_fault_of_our_own_is_inconclusive_and_can_be_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise KeyError("oh")

    monkeypatch.setattr("parity.pair.rung_table.gradients_rung", broken)
    monkeypatch.delenv("NETPARITY_DEBUG", raising=False)
    report = compared(Original())
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("netparity itself failed: KeyError: 'oh'" in f.reason for rung in report.rungs for f in rung.findings)
    monkeypatch.setenv("NETPARITY_DEBUG", "1")
    with pytest.raises(KeyError):
        compared(Original())
