"""Layers as people write them themselves, in PyTorch; the features are the last axis."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils import weight_norm as old_weight_norm

from benchmarks.evidence.drawn.own.sines import angles

FUNCTIONS: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": lambda x: torch.softmax(x, -1),
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "softplus": F.softplus,
    "none": lambda x: x,
}


def _inside(x: torch.Tensor, narrow: bool, upcast: bool) -> tuple[torch.Tensor, torch.dtype]:
    """What is computed with, and the dtype that is given on."""
    x = x.to(torch.bfloat16) if narrow else x
    return (x.to(torch.float32) if upcast else x), x.dtype


class OwnNorm(nn.Module):
    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.s = s
        self.weight = nn.Parameter(torch.ones(s["features"]))
        self.bias = nn.Parameter(torch.zeros(s["features"])) if s["form"] == "layer" else None
        plain = not s["narrow"] and "times" not in s and "outside" not in s
        self.function = plain and self.bias is not None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s, weight = self.s, self.weight + self.s["more"]
        if self.function:
            return F.layer_norm(x, (s["features"],), weight, self.bias, s["eps"])
        h, dtype = _inside(x, s["narrow"], s["upcast"])
        if self.bias is not None:
            h = h - h.mean(-1, keepdim=True)
        square = h.pow(2).mean(-1, keepdim=True) * s.get("times", 1.0)
        h = h / (square.sqrt() + s["eps"]) if s.get("outside", False) else h * torch.rsqrt(square + s["eps"])
        h = h.to(dtype) * weight
        return (h if self.bias is None else h + self.bias).to(x.dtype)


class Upcast(nn.Module):
    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.s = s

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, dtype = _inside(x, self.s["narrow"], self.s["upcast"])
        return FUNCTIONS[self.s["function"]](h).to(dtype).to(x.dtype)


class FusedAttention(nn.Module):
    c_attn: nn.Linear
    q_proj: nn.Linear
    k_proj: nn.Linear
    v_proj: nn.Linear

    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.s, features = s, s["features"]
        names = ("c_attn",) if s["torch"] == "fused" else ("q_proj", "k_proj", "v_proj")
        for name in names:
            self.add_module(name, nn.Linear(features, 3 * features // len(names), bias=s["bias"]))
        self.c_proj = nn.Linear(features, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = None if self.s.get("scaled", True) else 1.0
        q, k, v = (part.transpose(1, 2) for part in self.parts(x))
        y = F.scaled_dot_product_attention(q, k, v, scale=scale)
        return self.c_proj(y.transpose(1, 2).reshape(x.shape))

    def parts(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Queries, keys and values, (B, T, heads, D) each."""
        heads, order = (self.s["heads"], -1), self.s["order"]
        if self.s["torch"] != "fused":
            return [layer(x).unflatten(-1, heads) for layer in (self.q_proj, self.k_proj, self.v_proj)]
        if self.s["by head"]:
            parts = self.c_attn(x).unflatten(-1, heads).chunk(3, -1)
        else:
            parts = [part.unflatten(-1, heads) for part in self.c_attn(x).chunk(3, -1)]
        return [parts[order.index(name)] for name in "qkv"]


class Table(nn.Module):
    sines: torch.Tensor
    cosines: torch.Tensor

    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.s = s
        for name, function in (("sines", np.sin), ("cosines", np.cos)):
            held = torch.tensor(function(angles(s)), dtype=torch.float32)
            if s["torch"] == "held":
                self.register_buffer(name, held)
            elif s["torch"] == "attribute":
                setattr(self, name, held)

    def waves(self, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Sines and cosines, (T, F/2) each."""
        s = self.s
        if s["torch"] in ("held", "attribute"):
            return self.sines.to(dtype), self.cosines.to(dtype)
        if s["torch"] == "numpy":
            return torch.tensor(np.sin(angles(s)), dtype=dtype), torch.tensor(np.cos(angles(s)), dtype=dtype)
        half = s["features"] // 2
        frequencies = 1.0 / s["base"] ** (torch.arange(half, dtype=torch.float32) / half)
        turned = torch.outer(s.get("start", 0) + torch.arange(s["time"], dtype=torch.float32), frequencies)
        return turned.sin().to(dtype), turned.cos().to(dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sines, cosines = self.waves(x.dtype)
        axis = -1 if self.s["form"] == "neighbours" else -2
        if self.s["use"] == "add":
            return x + torch.stack([sines, cosines], axis).flatten(1)
        a, b = x.unflatten(-1, (-1, 2) if axis == -1 else (2, -1)).unbind(axis)
        return torch.stack([a * cosines - b * sines, b * cosines + a * sines], axis).flatten(-2)


class WeightNorm(nn.Module):
    def __init__(self, s: Mapping[str, Any]) -> None:
        super().__init__()
        self.axis = s["axis"]
        self.direction = nn.Parameter(torch.randn(s["out"], s["in"]))
        self.length = nn.Parameter(torch.ones((s["out"], 1) if self.axis == 0 else (1, s["in"])))
        self.bias = nn.Parameter(torch.zeros(s["out"]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v = self.direction
        return F.linear(x, self.length * v / v.pow(2).sum(1 - self.axis, keepdim=True).sqrt(), self.bias)


def weight_norm(s: Mapping[str, Any]) -> nn.Module:
    """A dense layer with a weight norm: PyTorch's parametrization, its weight norm of old, or one's own."""
    if s["torch"] == "own":
        return WeightNorm(s)
    layer = nn.Linear(s["in"], s["out"])
    if s["torch"] == "new":
        return parametrizations.weight_norm(layer, dim=s["axis"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, which is why it is drawn
        return old_weight_norm(layer, dim=s["axis"])


class Function(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = FUNCTIONS[name]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def parametrized_dense(s: Mapping[str, Any]) -> nn.Module:
    """A dense layer whose weight is a function of what is learnt."""
    layer = nn.Linear(s["in"], s["out"])
    parametrize.register_parametrization(layer, "weight", Function(s["function"]))
    return layer


LAYERS: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "own norm": OwnNorm,
    "upcast": Upcast,
    "fused attention": FusedAttention,
    "table": Table,
    "weight norm": weight_norm,
    "parametrized dense": parametrized_dense,
}
