"""Random networks as data: their blocks, and the way they are drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd, prod
from typing import Any, TypeVar

T = TypeVar("T")
Choose = Callable[[Sequence[Any]], Any]
"""A choice among options, by a random generator or by a strategy that can shrink towards the first of them."""
Shape = tuple[int, ...]
"""A shape without the batch: (features,), (time, features) or (height, width, channels)."""

ACTIVATIONS = (
    "relu", "tanh", "sigmoid", "gelu", "gelu tanh", "silu", "elu", "softplus", "leaky relu", "softmax", "log softmax",
)  # fmt: skip
RECURRENT = ("rnn", "lstm", "gru")
VOCABULARY = 11


@dataclass(frozen=True)
class Block:
    """A layer, or layers whose output is added to their input.

    Args:
        kind: kind of the layer; "residual" has others inside.
        settings: all settings that the frameworks build it by; a bug changes one of them.
        inner: the blocks inside.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple["Block", ...] = ()


@dataclass(frozen=True)
class Network:
    """Blocks one after the other.

    Args:
        shape: shape of one input; (time,) of ids where the first block is an embedding.
        batch: number of examples in a batch.
        blocks: the blocks in their order.
    """

    shape: Shape
    batch: int
    blocks: tuple[Block, ...]

    def ranks(self) -> list[int]:
        """The rank of every block's input, without its batch axis."""
        ranks, rank = [], len(self.shape)
        for block in self.blocks:
            ranks.append(rank)
            rank = {"embedding": 2, "flatten": 1, "mean": 1}.get(block.kind, rank)
        return ranks


def draw(choose: Choose) -> Network:
    """Draw a network of one to five blocks, after an embedding if its inputs are ids."""
    form = choose(("vector", "image", "sequence", "tokens"))
    input_shape = {
        "vector": lambda: (choose((5, 3, 8)),),
        "image": lambda: (choose((6, 5, 8)), choose((6, 7, 4)), choose((3, 1, 4))),
        "sequence": lambda: (choose((4, 3, 6)), choose((6, 4, 5))),
        "tokens": lambda: (choose((4, 3, 6)),),
    }[form]()
    blocks, shape = [], input_shape
    if form == "tokens":
        blocks.append(Block("embedding", {"features": (features := choose((6, 4)))}))
        shape = (*input_shape, features)
    for _ in range(choose((1, 2, 3, 4, 5))):
        block, shape = _block(choose, shape)
        blocks.append(block)
    return Network(input_shape, choose((3, 2, 5)), tuple(blocks))


def _block(choose: Choose, shape: Shape, *, keeps: bool = False) -> tuple[Block, Shape]:
    """Draw a block for an input of this shape; also give the shape of its output, the same one if `keeps`."""
    kind = choose([*KEEPING[len(shape)], *(CHANGING[len(shape)] if not keeps else ())])
    if kind == "residual":
        first, _ = _block(choose, shape, keeps=True)
        second, _ = _block(choose, shape, keeps=True)
        return Block("residual", inner=(first, second)), shape
    return MAKERS[kind](choose, shape, keeps)


def _activation(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("activation", {"function": choose(ACTIVATIONS)}), shape


def _dense(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    out = shape[-1] if keeps else choose((4, 3, 7))
    return Block("dense", {"in": shape[-1], "out": out, "bias": choose((True, False))}), (*shape[:-1], out)


def _layer_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("layer norm", {"features": shape[-1], "eps": choose((1e-5, 1e-6, 1e-3))}), shape


def _rms_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("rms norm", {"features": shape[-1], "eps": choose((1e-6, 1e-5))}), shape


def _batch_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    settings = {"features": shape[-1], "eps": choose((1e-5, 1e-3)), "keep": choose((0.9, 0.99))}
    return Block("batch norm", {**settings, "affine": choose((True, False))}), shape


def _group_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    groups = choose([n for n in (1, 2, 4, shape[-1]) if shape[-1] % n == 0])
    settings = {"features": shape[-1], "groups": groups, "eps": choose((1e-5, 1e-6)), "places": prod(shape[:-1])}
    return Block("group norm", settings), shape


def _conv(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    """Draw a convolution, whose kernel may have unequal sides, with stride, padding, dilation and groups."""
    height, width, channels = shape
    if keeps:
        kernel, stride, dilation, padding, out = (k := choose((3, 1)), k), 1, 1, k // 2, channels
    else:
        kernel = (choose((3, 1, 2)), choose((3, 2, 1)))
        stride, dilation, padding = choose((1, 2)), choose((1, 2)), choose((1, 0))
        out = choose((4, 6, 2))
    size = [_after(n, k, stride, padding, dilation) for n, k in zip((height, width), kernel, strict=True)]
    if min(size) < 1:  # too large a window
        return _dense(choose, shape, keeps)
    groups = choose([n for n in (1, 2, channels) if gcd(channels, out) % n == 0])
    settings = {
        "in": channels, "out": out, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
        "groups": groups, "bias": choose((True, False)),
    }  # fmt: skip
    return Block("conv", settings), (*size, out)


def _transposed(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    height, width, channels = shape
    kernel, stride = (choose((3, 2)), choose((2, 3))), choose((2, 1))
    padding, more = choose((0, 1)), choose((0, 1)) if stride == 2 else 0
    size = [(n - 1) * stride + k - 2 * padding + more for n, k in zip((height, width), kernel, strict=True)]
    if min(size) < 1:
        return _dense(choose, shape, False)
    settings = {
        "in": channels, "out": (out := choose((4, 3))), "kernel": kernel, "stride": stride, "padding": padding,
        "more": more, "bias": choose((True, False)),
    }  # fmt: skip
    return Block("transposed conv", settings), (*size, out)


def _pool(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    kind, window, stride = choose(("max", "mean")), choose((2, 3)), choose((2, 1))
    padding = choose((0, 1))
    size = [_after(n, window, stride, padding, 1) for n in shape[:2]]
    if min(size) < 1:
        return _activation(choose, shape, True)
    settings = {"window": window, "stride": stride, "padding": padding, "inner": choose((False, True))}
    return Block(f"{kind} pool", settings), (*size, shape[-1])


def _resize(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    size = (2 * shape[0], choose((2, 3)) * shape[1])
    return Block("resize", {"size": size, "method": choose(("bilinear", "nearest"))}), (*size, shape[-1])


def _flatten(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del choose, keeps
    return Block("flatten", {"shape": shape}), (prod(shape),)


def _mean(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del choose, keeps
    return Block("mean"), shape[-1:]


def _attention(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    features = shape[-1]
    heads = [n for n in (2, 1, 3) if features % n == 0]
    return Block("attention", {"features": features, "heads": choose(heads)}), shape


def _recurrent(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    out = shape[-1] if keeps else choose((5, 3))
    return Block(choose(RECURRENT), {"in": shape[-1], "out": out}), (shape[0], out)


def _after(size: int, window: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1


MAKERS: Mapping[str, Callable[[Choose, Shape, bool], tuple[Block, Shape]]] = {
    "activation": _activation,
    "dense": _dense,
    "layer norm": _layer_norm,
    "rms norm": _rms_norm,
    "batch norm": _batch_norm,
    "group norm": _group_norm,
    "conv": _conv,
    "transposed conv": _transposed,
    "pool": _pool,
    "resize": _resize,
    "flatten": _flatten,
    "mean": _mean,
    "attention": _attention,
    "recurrent": _recurrent,
}
KEEPING: Mapping[int, tuple[str, ...]] = {
    1: ("dense", "activation", "layer norm", "rms norm", "batch norm", "residual"),
    2: ("dense", "activation", "layer norm", "rms norm", "attention", "recurrent", "residual"),
    3: ("conv", "activation", "batch norm", "group norm", "layer norm", "residual"),
}
"""Rank of the input → blocks that can keep its shape."""
CHANGING: Mapping[int, tuple[str, ...]] = {
    1: (),
    2: ("mean", "flatten"),
    3: ("pool", "transposed conv", "resize", "mean", "flatten"),
}


def to_json(network: Network) -> dict[str, Any]:
    """A network as a document that JSON can hold."""
    return {"shape": [*network.shape], "batch": network.batch, "blocks": [_written(block) for block in network.blocks]}


def _written(block: Block) -> dict[str, Any]:
    return {"kind": block.kind, "settings": dict(block.settings), "inner": [_written(inner) for inner in block.inner]}


def from_json(document: Mapping[str, Any]) -> Network:
    """The network of a document that `to_json` made."""
    return Network(tuple(document["shape"]), document["batch"], tuple(_read(block) for block in document["blocks"]))


def _read(document: Mapping[str, Any]) -> Block:
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in document["settings"].items()}
    return Block(document["kind"], settings, tuple(_read(inner) for inner in document["inner"]))


def by_seed(seed: int) -> Choose:
    """A choice by a random generator with this seed."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return lambda options: options[int(rng.integers(len(options)))]
