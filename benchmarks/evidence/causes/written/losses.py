"""Losses written flat: cross-entropy with smoothing, weights and padding; a divergence; a margin; a Huber loss."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

from parity import TrainingPair

BATCH, TIME, FEATURES, CLASSES = 4, 3, 6, 5
WEIGHTS = (0.5, 1.0, 2.0, 0.8, 1.3)


class FlaxHead(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.head = nnx.Linear(FEATURES, CLASSES, rngs=rngs)
        self.other = nnx.Linear(FEATURES, CLASSES, rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return 2 * self.head(x), 2 * self.other(x)


def flax_loss(outputs: Any, labels: jax.Array) -> jax.Array:
    student, teacher = outputs
    logs = jax.nn.log_softmax(student, axis=-1)
    kept = labels != -100
    wanted = jax.nn.one_hot(jnp.where(kept, labels, 0), CLASSES)
    wanted = 0.9 * wanted + 0.1 / CLASSES
    weight = jnp.asarray(WEIGHTS)
    each = -jnp.sum(weight * wanted * logs, axis=-1)
    hard = weight[jnp.where(kept, labels, 0)]
    entropy = jnp.sum(each * kept) / jnp.sum(hard * kept)
    cold = jax.nn.log_softmax(teacher / 2.0, axis=-1)
    warm = jax.nn.log_softmax(student / 2.0, axis=-1)
    divergence = jnp.sum(jnp.exp(cold) * (cold - warm)) / BATCH
    gap = jnp.abs(student - teacher)
    huber = jnp.where(gap < 1.0, 0.5 * gap**2, gap - 0.5).mean()
    right = jnp.take_along_axis(student, jnp.where(kept, labels, 0)[..., None], axis=-1)
    margin = jnp.maximum(student - right + 1.0, 0.0).sum(-1).mean() / CLASSES
    return entropy + 4.0 * divergence + huber + margin


class TorchHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(FEATURES, CLASSES)
        self.other = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 2 * self.head(x), 2 * self.other(x)


def torch_loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
    student, teacher = outputs
    kept = labels != -100
    weight = torch.tensor(WEIGHTS).to(student)
    entropy = F.cross_entropy(student.flatten(0, 1), labels.flatten(), weight=weight, label_smoothing=0.1)
    cold = F.log_softmax(teacher / 2.0, dim=-1)
    warm = F.log_softmax(student / 2.0, dim=-1)
    divergence = F.kl_div(warm, cold, reduction="batchmean", log_target=True)
    huber = F.smooth_l1_loss(student, teacher, beta=1.0)
    right = student.gather(-1, torch.where(kept, labels, 0).unsqueeze(-1))
    margin = F.relu(student - right + 1.0).sum(-1).mean() / CLASSES
    return entropy + 4.0 * divergence + huber + margin


def pair() -> tuple[Any, Any, Any, dict[str, Any]]:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((BATCH, TIME, FEATURES)).astype(np.float32)
    labels = rng.integers(0, CLASSES, (BATCH, TIME))
    labels[1, 2:] = labels[3, 1:] = -100
    losses: tuple[Callable[..., Any], Callable[..., Any]] = (flax_loss, torch_loss)
    return FlaxHead(nnx.Rngs(0)), TorchHead(), x, {"training": TrainingPair(loss=losses, targets=labels)}
