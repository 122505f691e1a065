"""One bug in a drawn network: a setting of one block that one side reads otherwise."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

from benchmarks.evidence.drawn.network import Block, Choose, Network

Settings = Mapping[str, Any]
Place = tuple[int, ...]
"""Index of a block, then of the block inside it, and so on."""


@dataclass(frozen=True)
class Mutation:
    """A kind of bug.

    Args:
        name: name of the kind.
        row: number of its row in docs/porting-bugs.md.
        kinds: kinds of the blocks that can have it.
        side: framework whose builder reads the changed setting; "" for either.
        change: function from a block's settings to the changed ones; it gives None where the bug would change nothing.
    """

    name: str
    row: str
    kinds: tuple[str, ...]
    side: Literal["", "flax", "torch"]
    change: Callable[[Settings], Settings | None]


@dataclass(frozen=True)
class Mutant:
    """A bug in a network: that side is built from `network`, the other from the network as drawn."""

    mutation: Mutation
    side: str
    place: Place
    network: Network


def _function(old: str, new: str) -> Callable[[Settings], Settings | None]:
    return lambda s: {"function": new} if s["function"] == old else None


def _set(**new: Any) -> Callable[[Settings], Settings | None]:
    """A change to these settings, unless the block has them already."""
    return lambda s: new if any(s.get(name) != value for name, value in new.items()) else None


def _epsilon(value: float) -> Callable[[Settings], Settings | None]:
    """A change of the epsilon of a norm over several numbers: one alone becomes zero whatever the epsilon is."""

    def change(s: Settings) -> Settings | None:
        numbers = s["features"] // s["groups"] * s["places"] if "groups" in s else s["features"]
        return {"eps": value} if numbers > 1 and s["eps"] != value else None

    return change


def _other_order(s: Settings) -> Settings | None:
    """A change of the order of flattening, where images have several channels and places."""
    *places, channels = s["shape"]
    return {"order": "channels first"} if len(places) == 2 and channels > 1 and prod(places) > 1 else None


def _fewer_groups(s: Settings) -> Settings | None:
    return {"groups": 1} if s["groups"] > 1 else None


def _shift(s: Settings) -> Settings | None:
    return {"shift": 1} if s["padding"] > 0 else None


def _shift_transposed(s: Settings) -> Settings | None:
    """A shift of the padding by one pixel, where both edges have room for it."""
    return {"shift": 1} if min(s["kernel"]) - 1 - s["padding"] > 0 else None


def _other_divisor(s: Settings) -> Settings | None:
    return {"inner": not s["inner"]} if s["padding"] > 0 else None


def _no_bias(s: Settings) -> Settings | None:
    return {"bias": False} if s["bias"] else None


def _other_method(s: Settings) -> Settings | None:
    return {"method": "nearest" if s["method"] == "bilinear" else "bilinear"}


def _one_head(s: Settings) -> Settings | None:
    return {"heads": 1} if s["heads"] > 1 else None


MUTATIONS = (
    Mutation("tanh GELU", "51", ("activation",), "", _function("gelu", "gelu tanh")),
    Mutation("exact GELU", "51", ("activation",), "", _function("gelu tanh", "gelu")),
    Mutation("leaky ReLU", "52", ("activation",), "", _function("relu", "leaky relu")),
    Mutation("SiLU for GELU", "52", ("activation",), "", _function("gelu", "silu")),
    Mutation("GELU for SiLU", "52", ("activation",), "", _function("silu", "gelu")),
    Mutation("log-softmax for softmax", "63", ("activation",), "", _function("softmax", "log softmax")),
    Mutation("sigmoid for tanh", "52", ("activation",), "", _function("tanh", "sigmoid")),
    Mutation("no bias", "16", ("dense", "conv", "transposed conv"), "", _no_bias),
    Mutation("epsilon 1e-6", "47", ("layer norm", "group norm", "rms norm"), "", _epsilon(1e-6)),
    Mutation("epsilon 1e-5", "47", ("layer norm", "group norm", "rms norm"), "", _epsilon(1e-5)),
    Mutation("epsilon 1e-3", "45", ("batch norm",), "", _set(eps=1e-3)),
    Mutation("momentum 1 − m", "36", ("batch norm",), "", lambda s: {"keep": 1 - s["keep"]}),
    Mutation("momentum by default", "37", ("batch norm",), "", _set(keep=0.99)),
    Mutation("fewer groups", "49", ("group norm",), "", _fewer_groups),
    Mutation("padding SAME", "25", ("conv", "max pool", "mean pool"), "flax", _shift),
    Mutation("transposed padding", "6", ("transposed conv",), "flax", _shift_transposed),
    Mutation("divisor of the mean", "29", ("mean pool",), "", _other_divisor),
    Mutation("resize method", "34", ("resize",), "", _other_method),
    Mutation("flatten order", "4", ("flatten",), "torch", _other_order),
    Mutation("one head", "12", ("attention",), "torch", _one_head),
    Mutation("reversed time", "9", ("rnn", "lstm", "gru"), "flax", _set(reverse=True)),
    Mutation("sum for mean", "58", ("mean",), "", _set(sum=True)),
    Mutation("scaled embedding", "14", ("embedding",), "", _set(scale=2.0)),
    Mutation("no shortcut", "23", ("residual",), "", _set(added=False)),
)  # fmt: skip


def places(blocks: tuple[Block, ...], above: Place = ()) -> Iterator[tuple[Place, Block]]:
    """Yield every block with its place, those inside others too."""
    for i, block in enumerate(blocks):
        yield (*above, i), block
        yield from places(block.inner, (*above, i))


def mutants(network: Network) -> list[tuple[Mutation, Place, Settings]]:
    """All bugs that a network can have, each with its place and the changed settings."""
    possible = []
    for place, block in places(network.blocks):
        for mutation in MUTATIONS:
            changed = mutation.change(block.settings) if block.kind in mutation.kinds else None
            if changed is not None:
                possible.append((mutation, place, changed))
    return possible


def mutate(choose: Choose, network: Network) -> Mutant | None:
    """Plant one bug in a network; None if it can have none."""
    able = mutants(network)
    if not able:
        return None
    mutation, place, changed = choose(able)
    side = mutation.side or choose(("flax", "torch"))
    return Mutant(mutation, side, place, replace(network, blocks=_with(network.blocks, place, changed)))


def _with(blocks: tuple[Block, ...], place: Place, changed: Settings) -> tuple[Block, ...]:
    first, *inside = place
    block = blocks[first]
    if inside:
        new = replace(block, inner=_with(block.inner, tuple(inside), changed))
    else:
        new = replace(block, settings={**block.settings, **changed})
    return (*blocks[:first], new, *blocks[first + 1 :])
