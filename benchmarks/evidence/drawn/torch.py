"""A drawn network in PyTorch; images are NCHW."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.evidence.drawn.network import MASKED, RETURNING, VOCABULARY, Block, Network
from benchmarks.evidence.drawn.own.torch_flow import FLOWS
from benchmarks.evidence.drawn.own.torch_layers import LAYERS

FUNCTIONS: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "elu": F.elu,
    "softplus": F.softplus,
    "leaky relu": lambda x: F.leaky_relu(x, 0.1),
}


class Activation(nn.Module):
    """An activation by its name: elementwise, or over the features."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = 1 if x.ndim == 4 else -1
        if self.function == "softmax":
            return torch.softmax(x, features)
        if self.function == "log softmax":
            return torch.log_softmax(x, features)
        return FUNCTIONS[self.function](x)


class OverFeatures(nn.Module):
    """A layer that works on the features, which are axis 1 of images and the last axis of all else."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.movedim(1, -1)).movedim(-1, 1) if x.ndim == 4 else self.layer(x)


class Pool(nn.Module):
    def __init__(self, kind: str, window: int, stride: int, padding: int, inner: bool) -> None:
        super().__init__()
        self.max = kind == "max pool"
        self.places = (window, stride, padding)
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.max:
            return F.max_pool2d(x, *self.places)
        return F.avg_pool2d(x, *self.places, count_include_pad=not self.inner)


class Resize(nn.Module):
    def __init__(self, size: tuple[int, int], method: str) -> None:
        super().__init__()
        self.size, self.method = size, method

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        corners = False if self.method == "bilinear" else None
        return F.interpolate(x, self.size, mode=self.method, align_corners=corners)


class Flatten(nn.Module):
    """Flattens in the order height, width, channels, or "channels first"."""

    def __init__(self, order: str) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.movedim(1, -1) if x.ndim == 4 and self.order != "channels first" else x).flatten(1)


class Mean(nn.Module):
    """The mean over all axes but the batch and the features; with `total` the sum."""

    def __init__(self, total: bool) -> None:
        super().__init__()
        self.total = total

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = (-2, -1) if x.ndim == 4 else (1,)
        return x.sum(places) if self.total else x.mean(places)


class Embedding(nn.Module):
    def __init__(self, features: int, scale: float) -> None:
        super().__init__()
        self.layer = nn.Embedding(VOCABULARY, features)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * self.layer(x)


class Attention(nn.Module):
    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x, x, x, need_weights=False)[0]


class Recurrent(nn.Module):
    def __init__(self, kind: str, features: int, hidden: int) -> None:
        super().__init__()
        self.layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind](features, hidden, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


class GRU(nn.Module):
    """A GRU written out in the form of its Flax twin; gives all states of a sequence."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(features, 3 * hidden)
        self.state = nn.Linear(hidden, 3 * hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, states = torch.zeros_like(self.state.bias[: self.state.in_features]).expand(len(x), -1), []
        for from_input in self.input(x).unbind(1):
            (r, z, n), (hr, hz, hn) = from_input.chunk(3, -1), self.state(h).chunk(3, -1)
            z = torch.sigmoid(z + hz)
            h = (1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * h
            states.append(h)
        return torch.stack(states, 1)


class Residual(nn.Module):
    def __init__(self, inner: tuple[Block, ...], rank: int, added: bool) -> None:
        super().__init__()
        self.added = added
        self.blocks = nn.ModuleList([block(spec, rank) for spec in inner])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.blocks:
            y = layer(y)
        return x + y if self.added else y


def block(spec: Block, rank: int) -> nn.Module:
    """Build the PyTorch module of a block, whose input has this rank without its batch axis."""
    s, kind = dict(spec.settings), spec.kind
    if kind in LAYERS:
        return OverFeatures(LAYERS[kind](spec.settings))
    if kind in FLOWS:
        layer = FLOWS[kind](spec.settings, rank)
        return OverFeatures(layer) if kind == "frozen dense" or s.get("layer") in ("dense", "layer norm") else layer
    if kind == "residual":
        return Residual(spec.inner, rank, s.get("added", True))
    if kind == "activation":
        return Activation(s["function"])
    if kind == "dense":
        return OverFeatures(nn.Linear(s["in"], s["out"], bias=s["bias"]))
    if kind == "embedding":
        return Embedding(s["features"], s.get("scale", 1.0))
    if kind == "layer norm":
        return OverFeatures(nn.LayerNorm(s["features"], eps=s["eps"]))
    if kind == "rms norm":
        return OverFeatures(nn.RMSNorm(s["features"], eps=s["eps"]))
    if kind == "batch norm":
        norm = nn.BatchNorm2d if rank == 3 else nn.BatchNorm1d
        return norm(s["features"], eps=s["eps"], momentum=1 - s["keep"], affine=s["affine"])
    if kind == "group norm":
        return nn.GroupNorm(s["groups"], s["features"], eps=s["eps"])
    if kind == "conv":
        return nn.Conv2d(
            s["in"], s["out"], s["kernel"], s["stride"], s["padding"], s["dilation"], s["groups"], s["bias"]
        )
    if kind == "transposed conv":
        return nn.ConvTranspose2d(
            s["in"], s["out"], s["kernel"], s["stride"], s["padding"], output_padding=s["more"], bias=s["bias"]
        )
    if kind in ("max pool", "mean pool"):
        return Pool(kind, s["window"], s["stride"], s["padding"], s["inner"])
    if kind == "resize":
        return Resize(s["size"], s["method"])
    if kind == "attention":
        return Attention(s["features"], s["heads"])
    if kind == "gru":
        return GRU(s["in"], s["out"])
    if kind in ("rnn", "lstm"):
        return Recurrent(kind, s["in"], s["out"])
    return Flatten(s.get("order", "")) if kind == "flatten" else Mean(s.get("sum", False))


class Drawn(nn.Module):
    """The whole network: its blocks one after the other, some of which give a further result."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.kinds = [spec.kind for spec in network.blocks]
        ranks = network.ranks()
        self.blocks = nn.ModuleList([block(spec, rank) for spec, rank in zip(network.blocks, ranks, strict=True)])

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Any:
        returned = []
        for kind, layer in zip(self.kinds, self.blocks, strict=True):
            if kind in RETURNING:
                x, further = layer(x)
                returned.append(further)
            else:
                x = layer(x, mask) if kind in MASKED else layer(x)
        return (x, *returned) if returned else x
