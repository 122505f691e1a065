"""The cause of a difference between two optimizers is one that makes the gap fall, and its mend can be written."""

from collections.abc import Callable, Iterable

import flax.linen as fnn
import jax
import numpy as np
import optax
import pytest
import torch
from torch import nn

import parity
from parity.checks.verdict import Verdict

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
