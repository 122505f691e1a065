"""Optimizers and learning-rate schedules on a dense layer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import cos, pi
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from flax import nnx
from torch import nn
from torch.optim import lr_scheduler

from parity.pair.options import Checks, TrainingPair

RATE, TOTAL, WARMUP = 0.1, 40, 10
"""Peak of the learning rates; number of steps of a schedule, and of those that are its warm-up."""


@dataclass(frozen=True)
class Settings:
    """The settings of one side.

    Args:
        kind: name of the optimizer: "adamw", "adamw, some", "adagrad", "amsgrad", "momentum" or "rmsprop".
        decay: weight decay of AdamW.
        initial: Adagrad's accumulator at the start.
        largest: second moment whose maximum AMSGrad keeps: "raw", PyTorch's, or "corrected", optax's.
        nesterov: whether the momentum looks ahead.
        rate_inside: whether RMSprop's momentum collects steps that have the learning rate in them.
        decayed: arrays that are decayed: "kernels", "all" or "biases".
        schedule: name of the learning rates, "" for a constant.
        steps: number of steps that are compared.
        total: number of steps of the schedule.
        first: step from which the warm-up counts.
        staircase: whether the rate falls in stairs.
        end: course of the rate after a cosine's end: "stays" or "rises".
        peak: framework whose place one cycle's peak has, "optax" or "torch".
    """

    kind: str = "adamw"
    decay: float = 1e-2
    initial: float = 0.0
    largest: str = "raw"
    nesterov: bool = False
    rate_inside: bool = False
    decayed: str = "all"
    schedule: str = ""
    steps: int = TOTAL
    total: int = TOTAL
    first: int = 0
    staircase: bool = True
    end: str = "stays"
    peak: str = "optax"


class TorchDense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.dense(x))


class FlaxDense(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(5, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(self.dense(x))


def cosine(step: int, total: int) -> float:
    """Half a cosine from 1 at step 0 to 0 at step `total`, where it stays."""
    return 0.5 * (1 + cos(pi * min(step, total) / total))


def scheduler_of(optimizer: torch.optim.Optimizer, s: Settings) -> Any:
    """PyTorch's scheduler of the learning rate."""
    if s.schedule == "cosine":
        if s.end == "rises":
            return lr_scheduler.CosineAnnealingLR(optimizer, s.total)
        return lr_scheduler.LambdaLR(optimizer, partial(cosine, total=s.total))
    if s.schedule == "warm-up":
        return lr_scheduler.LambdaLR(optimizer, partial(_warmed, s))
    if s.schedule == "stairs":
        return lr_scheduler.StepLR(optimizer, 7, 0.5)
    if s.peak == "torch":
        return lr_scheduler.OneCycleLR(optimizer, RATE, s.total, pct_start=0.3, div_factor=25, final_div_factor=1e4)
    return lr_scheduler.LambdaLR(optimizer, partial(_cycled, s))


def _warmed(s: Settings, step: int) -> float:
    if step + s.first < WARMUP:
        return (step + s.first) / WARMUP
    return cosine(step - WARMUP, s.total - WARMUP)


def _cycled(s: Settings, step: int) -> float:
    """Optax's one cycle: up to the peak after 30 % of the steps, down to 1/250,000 of the peak at the last."""
    up, low, least = int(0.3 * s.total), 1 / 25, 1 / 25 / 1e4
    if step < up:
        return 1 + (low - 1) * cosine(step, up)
    return least + (1 - least) * cosine(step - up, s.total - up)


def schedule_of(s: Settings) -> Callable[[Any], Any]:
    """Optax's schedule of the learning rate."""
    if s.schedule == "cosine":
        return optax.cosine_decay_schedule(RATE, s.total)
    if s.schedule == "warm-up":
        return optax.warmup_cosine_decay_schedule(0.0, RATE, WARMUP, s.total)
    if s.schedule == "stairs":
        return optax.exponential_decay(RATE, 7, 0.5, staircase=s.staircase)
    return optax.cosine_onecycle_schedule(s.total, RATE, pct_start=0.3, div_factor=25, final_div_factor=1e4)


def amsgrad(s: Settings) -> optax.GradientTransformation:
    """Adam that divides by the root of the largest second moment so far; betas 0.9 and 0.999, eps 1e-8."""

    def init(params: Any) -> Any:
        return jnp.zeros((), jnp.int32), *[jax.tree.map(jnp.zeros_like, params) for _ in range(3)]

    def update(gradients: Any, state: Any, params: Any = None) -> Any:
        del params
        count, mu, nu, largest = state
        count = count + 1
        mu = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mu, gradients)
        nu = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, nu, gradients)
        right = 1 - 0.999**count
        candidate = nu if s.largest == "raw" else jax.tree.map(lambda v: v / right, nu)
        largest = jax.tree.map(jnp.maximum, largest, candidate)
        second = largest if s.largest == "corrected" else jax.tree.map(lambda v: v / right, largest)
        step = jax.tree.map(lambda m, v: m / (1 - 0.9**count) / (jnp.sqrt(v) + 1e-8), mu, second)
        return step, (count, mu, nu, largest)

    return optax.GradientTransformation(init, update)


def adagrad(s: Settings) -> optax.GradientTransformation:
    """Adagrad with the epsilon 1e-10 outside the root."""

    def init(params: Any) -> Any:
        return jax.tree.map(lambda p: jnp.full_like(p, s.initial), params)

    def update(gradients: Any, state: Any, params: Any = None) -> Any:
        del params
        state = jax.tree.map(lambda v, g: v + g**2, state, gradients)
        return jax.tree.map(lambda g, v: g / (jnp.sqrt(v) + 1e-10), gradients, state), state

    return optax.GradientTransformation(init, update)


def optax_of(s: Settings) -> optax.GradientTransformation:
    """Optax's optimizer, with its learning rate or schedule."""
    rate: Any = schedule_of(s) if s.schedule else RATE
    if s.kind == "adamw":
        return optax.adamw(rate, weight_decay=s.decay)
    if s.kind == "adamw, some":
        return optax.adamw(rate, weight_decay=s.decay, mask=partial(_decayed, s.decayed))
    if s.kind == "momentum":
        return optax.sgd(rate, momentum=0.9, nesterov=s.nesterov)
    if s.kind == "rmsprop":
        scaled, collected = optax.scale_by_rms(0.99, 1e-8, eps_in_sqrt=False), optax.trace(0.9)
        down = optax.scale_by_learning_rate(rate)
        return optax.chain(scaled, down, collected) if s.rate_inside else optax.chain(scaled, collected, down)
    rule = {"adagrad": adagrad, "amsgrad": amsgrad}[s.kind](s)
    return optax.chain(rule, optax.scale_by_learning_rate(rate))


def _decayed(which: str, params: Any) -> Any:
    return jax.tree.map(lambda p: which == "all" or (p.ndim > 1) == (which == "kernels"), params)


def torch_of(model: nn.Module, s: Settings) -> torch.optim.Optimizer:
    """PyTorch's optimizer."""
    parameters = list(model.parameters())
    if s.kind == "adamw":
        return torch.optim.AdamW(parameters, RATE, weight_decay=s.decay)
    if s.kind == "adamw, some":
        kernels, biases = ([p for p in parameters if (p.ndim > 1) is kernel] for kernel in (True, False))
        decays = (s.decay * (s.decayed in ("all", "kernels")), s.decay * (s.decayed in ("all", "biases")))
        groups = [{"params": p, "weight_decay": d} for p, d in zip((kernels, biases), decays, strict=True)]
        return torch.optim.AdamW(groups, RATE)
    if s.kind == "momentum":
        return torch.optim.SGD(parameters, RATE, momentum=0.9, nesterov=s.nesterov)
    if s.kind == "rmsprop":
        return torch.optim.RMSprop(parameters, RATE, momentum=0.9)
    if s.kind == "adagrad":
        return torch.optim.Adagrad(parameters, RATE, initial_accumulator_value=s.initial)
    return torch.optim.Adam(parameters, RATE, amsgrad=True)


def pair(flax: Settings, torch: Settings) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Both networks, the inputs (B, 5), and the options with the optimizers and, where there are any, the schedules."""
    x = np.random.default_rng(7).standard_normal((4, 5)).astype(np.float32)
    model = TorchDense()
    optimizer = torch_of(model, torch)
    training = TrainingPair(optimizers=(optax_of(flax), optimizer))
    if torch.schedule:
        schedules = schedule_of(flax), scheduler_of(optimizer, torch)
        training = replace(training, schedules=schedules, schedule_steps=torch.steps)
    options: dict[str, Any] = {"training": training, "checks": Checks(probes=False)}
    return FlaxDense(nnx.Rngs(0)), model, x, options
