"""Random networks as data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
MASKED = ("masked fill", "masked mean")
"""Kinds of blocks that are given the mask too."""
RETURNING = ("tap", "ids")
"""Kinds of blocks that give an array that the network returns beside its result."""


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
        mask: dtype of a second input, "bool" or "float32", which says what steps of a sequence are there; "" for none.
    """

    shape: Shape
    batch: int
    blocks: tuple[Block, ...]
    mask: str = ""

    def ranks(self) -> list[int]:
        """The rank of every block's input, without its batch axis."""
        ranks, rank = [], len(self.shape)
        for block in self.blocks:
            ranks.append(rank)
            rank = {"embedding": 2, "flatten": 1, "mean": 1, "masked mean": 1}.get(block.kind, rank)
        return ranks


def to_json(network: Network) -> dict[str, Any]:
    """A network as a document that JSON can hold."""
    blocks = [_written(block) for block in network.blocks]
    return {"shape": [*network.shape], "batch": network.batch, "blocks": blocks, "mask": network.mask}


def _written(block: Block) -> dict[str, Any]:
    return {"kind": block.kind, "settings": dict(block.settings), "inner": [_written(inner) for inner in block.inner]}


def from_json(document: Mapping[str, Any]) -> Network:
    """The network of a document that `to_json` made."""
    blocks = tuple(_read(block) for block in document["blocks"])
    return Network(tuple(document["shape"]), document["batch"], blocks, document.get("mask", ""))


def _read(document: Mapping[str, Any]) -> Block:
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in document["settings"].items()}
    return Block(document["kind"], settings, tuple(_read(inner) for inner in document["inner"]))


def by_seed(seed: int) -> Choose:
    """A choice by a random generator with this seed."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return lambda options: options[int(rng.integers(len(options)))]
