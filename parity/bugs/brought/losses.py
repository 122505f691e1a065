"""Losses of a dense layer's logits, each written as a user of either framework would."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

from parity.pair.options import Checks, TrainingPair

BATCH, TIME, CLASSES = 4, 6, 5
WEIGHTS = (0.3, 1.0, 2.5, 0.7, 1.4)
"""Weights of the classes."""


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        kind: name of the loss: "cross-entropy", "padded", "smoothed", "weighted", "divergence" or "alignment".
        smoothing: classes that share the smoothing s: "all" get s/K each, or the "others" s/(K − 1).
        padded: treatment of labels that are padding: "left out", or "counted" as class 0.
        over: divisor of a weighted loss: the "weights" of the labels, or their "number".
        reduction: "mean" over tokens; "sequences", the sum of each divided by their number; "sum".
        kl: divisor of a divergence: the size of the "batch", or the number of all "entries".
        lengths: whether the alignment's loss is divided by the length of its target before the mean is taken.
        axis: axis of the softmax, "classes" or "time".
    """

    kind: str = "cross-entropy"
    smoothing: str = "all"
    padded: str = "left out"
    over: str = "weights"
    reduction: str = "mean"
    kl: str = "batch"
    lengths: bool = True
    axis: str = "classes"


class TorchLogits(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(7, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 3 * self.head(x)


class FlaxLogits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.head = nnx.Linear(7, CLASSES, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return 3 * self.head(x)


def torch_loss(s: Settings, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss, a scalar, of logits (B, T, K) and labels (B, T), where −100 is padding."""
    log = torch.log_softmax(logits, -1 if s.axis == "classes" else 1)
    kept = labels >= 0
    if s.kind == "divergence":
        uniform = torch.full_like(log, 1 / CLASSES)
        return F.kl_div(log, uniform, reduction="batchmean" if s.kl == "batch" else "mean")
    if s.kind == "alignment":
        lengths = torch.tensor([3, 2, 3, 1])
        times = torch.full((BATCH,), TIME)
        each = F.ctc_loss(log.transpose(0, 1), labels.abs() % 4 + 1, times, lengths, reduction="none")
        return (each / lengths).mean() if s.lengths else each.mean()
    wanted = F.one_hot(labels.clamp(min=0), CLASSES).to(log.dtype)
    if s.kind == "smoothed":
        share = 0.1 / CLASSES if s.smoothing == "all" else 0.1 / (CLASSES - 1)
        wanted = wanted * (0.9 if s.smoothing == "all" else 0.9 - share) + share
    each = -(wanted * log).sum(-1)
    if s.kind == "weighted":
        weight = (wanted * torch.tensor(WEIGHTS, dtype=log.dtype)).sum(-1)
        return (each * weight).sum() / (weight.sum() if s.over == "weights" else weight.numel())
    if s.padded == "counted":
        return each.mean()
    if s.reduction == "sum":
        return (each * kept).sum()
    return (each * kept).sum() / (kept.sum() if s.reduction == "mean" else BATCH)


def flax_loss(s: Settings, logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The loss, a scalar, of logits (B, T, K) and labels (B, T), where −100 is padding."""
    log = jax.nn.log_softmax(logits, -1 if s.axis == "classes" else 1)
    kept = labels >= 0
    if s.kind == "divergence":
        uniform = jnp.full_like(log, 1 / CLASSES)
        each = uniform * (jnp.log(uniform) - log)
        return each.sum() / BATCH if s.kl == "batch" else each.mean()
    if s.kind == "alignment":
        lengths = jnp.array([3, 2, 3, 1])
        padding = (jnp.arange(TIME) >= lengths[:, None]).astype(log.dtype)
        each = optax.ctc_loss(logits, jnp.zeros((BATCH, TIME), log.dtype), jnp.abs(labels) % 4 + 1, padding)
        return (each / lengths).mean() if s.lengths else each.mean()
    wanted = jax.nn.one_hot(jnp.maximum(labels, 0), CLASSES, dtype=log.dtype)
    if s.kind == "smoothed" and s.smoothing == "all":
        wanted = optax.smooth_labels(wanted, 0.1)
    elif s.kind == "smoothed":
        share = 0.1 / (CLASSES - 1)
        wanted = wanted * (0.9 - share) + share
    each = -(wanted * log).sum(-1)
    if s.kind == "weighted":
        weight = (wanted * jnp.array(WEIGHTS, log.dtype)).sum(-1)
        return (each * weight).sum() / (weight.sum() if s.over == "weights" else weight.size)
    if s.padded == "counted":
        return each.mean()
    if s.reduction == "sum":
        return (each * kept).sum()
    return (each * kept).sum() / (kept.sum() if s.reduction == "mean" else BATCH)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, T, 7), and the options with the losses and their labels (B, T)."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((BATCH, TIME, 7)).astype(np.float32)
    labels = rng.integers(0, CLASSES, (BATCH, TIME))
    if torch.kind == "padded":
        labels[1, 4:] = labels[3, 2:] = -100
    losses: tuple[Callable[..., Any], Callable[..., Any]] = (partial(flax_loss, flax), partial(torch_loss, torch))
    options = {"training": TrainingPair(loss=losses, targets=labels), "checks": Checks(probes=False)}
    return FlaxLogits(nnx.Rngs(0)), TorchLogits(), x, options
