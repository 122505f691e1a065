"""Small pairs, right and wrong ones, that compile in a moment."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn as tnn

IMAGES = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype(np.float32)
NCHW = {"to_torch": "NHWC->NCHW"}


class ConvNet(nn.Module):
    """Conv, BatchNorm, dropout, flatten, two equal dense layers; every setting that a bug may change."""

    padding: Any = 1
    keep: float = 0.9
    eps: float = 1e-5
    rate: float = 0.3

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(4, (3, 3), strides=2, padding=self.padding)(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=self.keep, epsilon=self.eps)(x)
        x = nn.Dropout(self.rate)(nn.relu(x), deterministic=not train)
        x = x.reshape(x.shape[0], -1)
        x = nn.tanh(nn.Dense(6)(x))
        return nn.Dense(6)(nn.tanh(nn.Dense(6)(x)))


def torch_convnet() -> tnn.Module:
    return tnn.Sequential(
        tnn.Sequential(tnn.Conv2d(3, 4, 3, 2, 1), tnn.BatchNorm2d(4), tnn.ReLU(inplace=True), tnn.Dropout(0.3)),
        tnn.Flatten(),
        tnn.Linear(64, 6),
        tnn.Tanh(),
        tnn.Linear(6, 6),
        tnn.Tanh(),
        tnn.Linear(6, 6),
    )


def convnet(**settings: Any) -> tuple[Any, Any, Any, dict[str, Any]]:
    port = ConvNet(**settings)
    return (port, port.init(jax.random.key(0), IMAGES)), torch_convnet(), IMAGES, NCHW


class Conv1D(tnn.Module):
    """As GPT-2's: a dense layer whose kernel is stored (in, out)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = tnn.Parameter(torch.randn(size, size))
        self.bias = tnn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight + self.bias


class Scaled(tnn.Module):
    """A norm whose scale is stored as what it is beyond one."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = tnn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * (1 + self.scale)


class Square(nnx.Module):
    def __init__(self, size: int, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(size, size, rngs=rngs)
        self.norm = nnx.RMSNorm(size, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.act = nnx.gelu

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        x = self.norm(self.dense(x))
        return {"exact": nnx.gelu(x, approximate=False), "raw": x}


class TorchSquare(tnn.Module):
    def __init__(self, size: int, form: str = "none") -> None:
        super().__init__()
        self.c_proj, self.ln, self.form = Conv1D(size), Scaled(size), form

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        x = self.ln(self.c_proj(x))
        return {"exact": tnn.functional.gelu(x, approximate=self.form), "raw": x}


def square(form: str = "none") -> tuple[Any, Any, Any, dict[str, Any]]:
    """Its kernel is square and held by a module of no known kind, and its scale is stored less one."""
    x = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    return Square(8, nnx.Rngs(0)), TorchSquare(8, form), x, {}


class Rotated(tnn.Module):
    """Its frequencies are a buffer, so they are float32 numbers whatever it is cast to."""

    def __init__(self, base: float = 100.0) -> None:
        super().__init__()
        self.fc = tnn.Linear(8, 8)
        self.register_buffer("frequencies", 1.0 / base ** (torch.arange(8) / 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x) * torch.cos(3 * self.get_buffer("frequencies"))


class RotatedPort(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(8)(x) * jnp.cos(3 / 100.0 ** (jnp.arange(8, dtype=x.dtype) / 8))


def rotated(base: float = 100.0) -> tuple[Any, Any, Any, dict[str, Any]]:
    x = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    port = RotatedPort()
    return (port, port.init(jax.random.key(0), x)), Rotated(base), x, {}


class Crossed(nn.Module):
    """Two equal layers on one input, called in the other order than PyTorch's."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        b = nn.Dense(5, name="minus")(x)
        a = nn.Dense(5, name="plus")(x)
        return nn.Dense(2, name="last")(jnp.tanh(a) - b**2)


class TorchCrossed(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = tnn.Linear(4, 5), tnn.Linear(4, 5), tnn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(x).tanh() - self.second(x) ** 2)


class Three(nn.Module):
    """Three equal layers on one input; `wrong` makes it another function whatever the map."""

    wrong: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        a, b, c = (nn.Dense(5)(x) for _ in range(3))
        return jnp.tanh(a) * b + (jnp.sin(c) if self.wrong else c**2)


class TorchThree(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.square, self.factor, self.bent = (tnn.Linear(4, 5) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        c, b, a = self.square(x), self.factor(x), self.bent(x)
        return a.tanh() * b + c**2


def three(wrong: bool = False) -> tuple[Any, Any, Any, dict[str, Any]]:
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    port = Three(wrong)
    return (port, port.init(jax.random.key(0), x)), TorchThree(), x, {}


def crossed() -> tuple[Any, Any, Any, dict[str, Any]]:
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    port = Crossed()
    return (port, port.init(jax.random.key(0), x)), TorchCrossed(), x, {}
