"""A drawn network in Flax NNX; images are NHWC."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.evidence.drawn.network import MASKED, RETURNING, VOCABULARY, Block, Network
from benchmarks.evidence.drawn.own.flax_flow import FLOWS
from benchmarks.evidence.drawn.own.flax_layers import LAYERS

OWN_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], nnx.Rngs], nnx.Module]] = {**LAYERS, **FLOWS}
"""Kinds of blocks as people write them themselves → what builds one of its settings."""


def leaky_relu(x: jax.Array) -> jax.Array:
    """Leaky ReLU whose derivative at exactly 0 is the slope 0.1, which is PyTorch's, and not 1, which is Flax's."""
    return jnp.where(x > 0, x, 0.1 * x)


FUNCTIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "relu": nnx.relu,
    "tanh": jnp.tanh,
    "sigmoid": nnx.sigmoid,
    "gelu": partial(nnx.gelu, approximate=False),
    "gelu tanh": partial(nnx.gelu, approximate=True),
    "silu": nnx.silu,
    "elu": nnx.elu,
    "softplus": nnx.softplus,
    "leaky relu": leaky_relu,
    "softmax": nnx.softmax,
    "log softmax": nnx.log_softmax,
}


class Activation(nnx.Module):
    """An activation by its name in FUNCTIONS: elementwise, or over the features."""

    def __init__(self, function: str) -> None:
        self.function = function

    def __call__(self, x: jax.Array) -> jax.Array:
        return FUNCTIONS[self.function](x)


class Pool(nnx.Module):
    def __init__(self, kind: str, window: int, stride: int, padding: int, shift: int, inner: bool) -> None:
        self.max = kind == "max pool"
        self.places: dict[str, Any] = {
            "window_shape": (window, window),
            "strides": (stride, stride),
            "padding": _around(padding, shift),
        }
        self.inner = inner

    def __call__(self, x: jax.Array) -> jax.Array:
        if self.max:
            return nnx.max_pool(x, **self.places)
        return nnx.avg_pool(x, **self.places, count_include_pad=not self.inner)


class Resize(nnx.Module):
    def __init__(self, size: tuple[int, int], method: str) -> None:
        self.size, self.method = size, method

    def __call__(self, x: jax.Array) -> jax.Array:
        return jax.image.resize(x, (x.shape[0], *self.size, x.shape[-1]), self.method)


class Flatten(nnx.Module):
    """Flattens in the order height, width, channels."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return x.reshape(x.shape[0], -1)


class Mean(nnx.Module):
    """The mean over all axes but the batch and the features; with `total` the sum."""

    def __init__(self, total: bool) -> None:
        self.total = total

    def __call__(self, x: jax.Array) -> jax.Array:
        places = tuple(range(1, x.ndim - 1))
        return x.sum(places) if self.total else x.mean(places)


class Embedding(nnx.Module):
    def __init__(self, features: int, scale: float, rngs: nnx.Rngs) -> None:
        self.layer = nnx.Embed(VOCABULARY, features, rngs=rngs)
        self.scale = scale

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.scale * self.layer(x)


class Attention(nnx.Module):
    def __init__(self, features: int, heads: int, rngs: nnx.Rngs) -> None:
        self.layer = nnx.MultiHeadAttention(heads, features, decode=False, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.layer(x)


class Residual(nnx.Module):
    def __init__(self, inner: tuple[Block, ...], added: bool, rngs: nnx.Rngs) -> None:
        self.blocks = nnx.List([block(spec, rngs) for spec in inner])
        self.added = added

    def __call__(self, x: jax.Array) -> jax.Array:
        y = x
        for layer in self.blocks:
            y = layer(y)
        return x + y if self.added else y


class GRU(nnx.Module):
    """A GRU written out, since Flax's own cell lacks one of PyTorch's biases; gives all states of a sequence."""

    def __init__(self, features: int, hidden: int, reverse: bool, rngs: nnx.Rngs) -> None:
        self.input = nnx.Linear(features, 3 * hidden, rngs=rngs)
        self.state = nnx.Linear(hidden, 3 * hidden, rngs=rngs)
        self.reverse = reverse

    def __call__(self, x: jax.Array) -> jax.Array:
        h, states = jnp.zeros((len(x), self.state.in_features), x.dtype), []
        for t in range(x.shape[1])[:: -1 if self.reverse else 1]:
            from_input, from_state = self.input(x[:, t]), self.state(h)
            (r, z, n), (hr, hz, hn) = jnp.split(from_input, 3, -1), jnp.split(from_state, 3, -1)
            z = nnx.sigmoid(z + hz)
            h = (1 - z) * jnp.tanh(n + nnx.sigmoid(r + hr) * hn) + z * h
            states.append(h)
        return jnp.stack(states, 1)


def recurrent(kind: str, features: int, hidden: int, reverse: bool, rngs: nnx.Rngs) -> nnx.Module:
    """A recurrent layer that gives all states (B, T, H) of a sequence (B, T, F) from a first state of 0."""
    if kind == "gru":
        return GRU(features, hidden, reverse, rngs)
    cells: dict[str, Callable[..., Any]] = {"rnn": nnx.SimpleCell, "lstm": nnx.OptimizedLSTMCell}
    return nnx.RNN(cells[kind](features, hidden, rngs=rngs), reverse=reverse, rngs=rngs)


def block(spec: Block, rngs: nnx.Rngs) -> nnx.Module:
    """Build the Flax module of a block."""
    s, kind = dict(spec.settings), spec.kind
    if maker := OWN_BUILDERS.get(kind):
        return maker(spec.settings, rngs)
    if kind == "residual":
        return Residual(spec.inner, s.get("added", True), rngs)
    if kind == "activation":
        return Activation(s["function"])
    if kind == "dense":
        return nnx.Linear(s["in"], s["out"], use_bias=s["bias"], rngs=rngs)
    if kind == "embedding":
        return Embedding(s["features"], s.get("scale", 1.0), rngs)
    if kind == "layer norm":
        return nnx.LayerNorm(s["features"], epsilon=s["eps"], use_fast_variance=False, rngs=rngs)
    if kind == "rms norm":
        return nnx.RMSNorm(s["features"], epsilon=s["eps"], use_fast_variance=False, rngs=rngs)
    if kind == "batch norm":
        return nnx.BatchNorm(
            s["features"],
            epsilon=s["eps"],
            momentum=s["keep"],
            use_bias=s["affine"],
            use_scale=s["affine"],
            use_fast_variance=False,
            rngs=rngs,
        )
    if kind == "group norm":
        return nnx.GroupNorm(
            s["features"], num_groups=s["groups"], epsilon=s["eps"], use_fast_variance=False, rngs=rngs
        )
    if kind in ("conv", "transposed conv"):
        return convolution(s, rngs, transposed=kind == "transposed conv")
    if kind in ("max pool", "mean pool"):
        return Pool(kind, s["window"], s["stride"], s["padding"], s.get("shift", 0), s["inner"])
    if kind == "resize":
        return Resize(s["size"], s["method"])
    if kind == "attention":
        return Attention(s["features"], s["heads"], rngs)
    if kind in ("rnn", "lstm", "gru"):
        return recurrent(kind, s["in"], s["out"], s.get("reverse", False), rngs)
    return Flatten() if kind == "flatten" else Mean(s.get("sum", False))


def convolution(s: Mapping[str, Any], rngs: nnx.Rngs, *, transposed: bool) -> nnx.Module:
    """A convolution, transposed or not, with these settings."""
    if not transposed:
        return nnx.Conv(
            s["in"],
            s["out"],
            s["kernel"],
            strides=s["stride"],
            padding=_around(s["padding"], s.get("shift", 0)),
            kernel_dilation=s["dilation"],
            feature_group_count=s["groups"],
            use_bias=s["bias"],
            rngs=rngs,
        )
    return nnx.ConvTranspose(
        s["in"],
        s["out"],
        s["kernel"],
        strides=(s["stride"], s["stride"]),
        padding=tuple(_transposed(k - 1 - s["padding"], s["more"], s.get("shift", 0)) for k in s["kernel"]),
        use_bias=s["bias"],
        transpose_kernel=True,
        rngs=rngs,
    )


def _around(padding: int, shift: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of both axes, (before, after), shifted towards the end."""
    return (padding - shift, padding + shift), (padding - shift, padding + shift)


def _transposed(padding: int, more: int, shift: int) -> tuple[int, int]:
    return padding - shift, padding + more + shift


class Drawn(nnx.Module):
    """The whole network: its blocks one after the other, some of which give a further result."""

    def __init__(self, network: Network) -> None:
        rngs = nnx.Rngs(0)
        self.kinds = tuple(spec.kind for spec in network.blocks)
        self.blocks = nnx.List([block(spec, rngs) for spec in network.blocks])

    def __call__(self, x: jax.Array, mask: jax.Array | None = None) -> Any:
        returned = []
        for kind, layer in zip(self.kinds, self.blocks, strict=True):
            if kind in RETURNING:
                x, further = layer(x)
                returned.append(further)
            else:
                x = layer(x, mask) if kind in MASKED else layer(x)
        return (x, *returned) if returned else x
