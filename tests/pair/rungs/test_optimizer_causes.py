"""The cause of a difference between two optimizers is one that makes the gap fall, and its mend can be written."""

from collections.abc import Callable, Iterable
from typing import Any

import flax.linen as fnn
import jax
import numpy as np
import optax
import pytest
import torch
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

X = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
Make = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
PAIRS: dict[str, tuple[optax.GradientTransformation, Make, str, str]] = {
    "a number that both have": (
        optax.adamw(1e-3), lambda p: torch.optim.AdamW(p, 1e-3),
        "weight_decay is 0.01 in PyTorch; with 0.0001 it is optax's",
        "write weight_decay=0.0001 in PyTorch, or 0.01 in optax",
    ),
    "a switch that optax has not": (
        optax.adamw(1e-3, weight_decay=1e-2), lambda p: torch.optim.Adam(p, 1e-3, weight_decay=1e-2),
        "decoupled_weight_decay is False in PyTorch; with True it is optax's",
        "write decoupled_weight_decay=True in PyTorch",
    ),
    "eps in another place": (optax.radam(1e-3), lambda p: torch.optim.RAdam(p, 1e-3), "", ""),
    "a counter is no setting": (optax.nadam(1e-3), lambda p: torch.optim.NAdam(p, 1e-3), "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_a_cause_makes_the_gap_fall(name: str) -> None:
    rule, make, cause, mend = PAIRS[name]
    model, port = nn.Linear(3, 2), fnn.Dense(2)
    training = parity.TrainingPair(optimizers=(rule, make(model.parameters())))
    checks = parity.Checks(probes=False)
    report = parity.compare((port, port.init(jax.random.key(0), X)), model, X, training=training, checks=checks)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert (first.cause, first.mend) == (cause, mend)


NORM, VALUE = optax.clip_by_global_norm(100.0), optax.clip(50.0)


class Clipped(torch.optim.SGD):
    """It clips by itself."""

    def step(self, closure: Any = None) -> Any:
        nn.utils.clip_grad_value_([p for group in self.param_groups for p in group["params"]], 50.0)
        return super().step(closure)


def trained(rule: optax.GradientTransformation, make: Make, **options: Any) -> Report:
    model, port = nn.Linear(3, 2), fnn.Dense(2)
    training = parity.TrainingPair(optimizers=(rule, make(model.parameters())))
    variables = port.init(jax.random.key(0), X)
    return parity.compare((port, variables), model, X, training=training, checks=parity.Checks(**options))


@pytest.mark.parametrize(
    ("rule", "words"), [(NORM, "to a global norm of 100"), (VALUE, "to values of at most 50")], ids=["norm", "value"]
)
def test_clipping_that_no_gradient_of_a_run_reaches_is_named(rule: optax.GradientTransformation, words: str) -> None:
    pair = optax.chain(rule, optax.sgd(1e-2)), lambda p: torch.optim.SGD(p, 1e-2)
    first = trained(*pair).first_difference
    assert first is not None and first.text.startswith("the same on your inputs; different with large gradients")
    assert first.cause == f"optax clips gradients {words}, PyTorch's optimizer does not" and first.proof
    assert trained(*pair, accept=["large_gradients"]).verdict is Verdict.SAME
    assert trained(*pair, probes=False).verdict is Verdict.SAME


def test_clipping_on_both_sides_is_the_same_and_on_pytorchs_alone_is_not() -> None:
    def clipped(parameters: Any) -> torch.optim.Optimizer:
        return Clipped(parameters, 1e-2)

    assert trained(optax.chain(VALUE, optax.sgd(1e-2)), clipped).verdict is Verdict.SAME
    assert trained(optax.sgd(1e-2), clipped).verdict is Verdict.DIFFERENT
