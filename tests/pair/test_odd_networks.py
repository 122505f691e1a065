"""Networks that are legal and odd: without parameters, deep ones, and ones whose code ends or yields."""

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import linen, nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.interface.tree import leaves
from parity.pair.arrays import target

X = np.random.default_rng(5).standard_normal((3, 6)).astype(np.float32)
PLAIN = parity.Checks(probes=False)


class Of(linen.Module):
    """A function as a module without variables."""

    of: Any

    def __call__(self, x: jax.Array) -> Any:
        return self.of(x)


class TorchOf(nn.Module):
    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of

    def forward(self, x: torch.Tensor) -> Any:
        return self.of(x)


@pytest.mark.parametrize(
    ("pytorch", "verdict"),
    [(lambda x: x / x.norm(dim=-1, keepdim=True), Verdict.SAME), (lambda x: x / x.norm(), Verdict.DIFFERENT)],
)
@pytest.mark.parametrize("variables", [{}, {"params": {}}])
def test_linen_networks_without_parameters_are_compared(variables: Any, pytorch: Any, verdict: Verdict) -> None:
    port = Of(lambda x: x / jnp.linalg.norm(x, axis=-1, keepdims=True))
    assert parity.compare((port, variables), TorchOf(pytorch), X, checks=PLAIN).verdict is verdict


class Standardised(linen.Module):
    @linen.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        norm = linen.BatchNorm(use_running_average=not train, use_bias=False, use_scale=False, epsilon=1e-5)
        return norm(x)


def test_statistics_without_parameters_are_a_network() -> None:
    variables = Standardised().init(jax.random.key(0), X)
    assert set(variables) == {"batch_stats"}
    report = parity.compare((Standardised(), variables), nn.BatchNorm1d(6, affine=False), X, checks=PLAIN)
    assert next(rung for rung in report.rungs if rung.name == "forward").verdict is Verdict.SAME


def yielding(x: Any) -> Any:
    yield x


@pytest.mark.filterwarnings("ignore:Python iterable type")  # JAX takes a generator for a leaf, and will not
@pytest.mark.parametrize(
    ("flax", "pytorch"), [(yielding, torch.tanh), (jnp.tanh, yielding), (jnp.tanh, lambda x: {"a": iter([x])})]
)
def test_what_can_be_gone_through_once_is_no_result(flax: Any, pytorch: Any) -> None:
    with pytest.raises(parity.UsageError, match="return a tuple or a list of what it yields"):
        parity.compare((Of(flax), {}), TorchOf(pytorch), X)


def test_a_tree_that_holds_itself_is_a_leaf_of_itself() -> None:
    tree: dict[str, Any] = {"x": 1, "more": [2]}
    tree["more"].append(tree)
    assert [name for name, _ in leaves(tree)] == ["['x']", "['more'][0]", "['more'][1]"]
    shared = [3]
    assert len(list(leaves([shared, shared]))) == 2


def test_inputs_that_hold_themselves_are_refused() -> None:
    inputs: dict[str, Any] = {"x": X}
    inputs["again"] = inputs
    with pytest.raises(parity.UsageError, match="a dict that holds itself"):
        parity.compare((Of(jnp.tanh), {}), TorchOf(torch.tanh), (inputs,))


def leave(x: Any) -> Any:
    sys.exit("no device")


@pytest.mark.parametrize(("flax", "pytorch"), [(leave, torch.tanh), (jnp.tanh, leave)])
def test_a_network_that_leaves_python_is_told(flax: Any, pytorch: Any) -> None:
    with pytest.raises(
        parity.UsageError, match=r"your code leaves Python .*\(SystemExit: no device, test_odd_networks"
    ):
        parity.compare((Of(flax), {}), TorchOf(pytorch), X)


@pytest.mark.parametrize("text", ["import sys\nsys.exit(3)\ndef pair(): ...", "import sys\ndef pair(): sys.exit(3)"])
def test_a_file_that_leaves_python_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(text)
    with pytest.raises(
        parity.UsageError, match=r"your code leaves Python .*leaving.py.* \(SystemExit: 3, leaving.py line"
    ):
        target.load(f"{tmp_path}/leaving.py:pair")


def test_modules_in_modules_in_modules_are_compared() -> None:
    deep: nn.Module = nn.Linear(6, 2)
    for _ in range(250):
        deep = nn.Sequential(deep)
    limit = sys.getrecursionlimit()
    report = parity.compare(nnx.Linear(6, 2, rngs=nnx.Rngs(0)), deep, X, checks=PLAIN)
    assert report.verdict is Verdict.SAME and sys.getrecursionlimit() == limit
