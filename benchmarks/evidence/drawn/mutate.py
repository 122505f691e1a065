"""One bug in a drawn network: a setting of one block that one side reads otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.evidence.drawn.layer_mutations import LAYER_MUTATIONS
from benchmarks.evidence.drawn.mutation import Mutation, Settings
from benchmarks.evidence.drawn.network import Block, Choose, Network
from benchmarks.evidence.drawn.own.mutations import OWN_MUTATIONS

Place = tuple[int, ...]
"""Index of a block, then of the block inside it, and so on."""
MUTATIONS = (*LAYER_MUTATIONS, *OWN_MUTATIONS)


@dataclass(frozen=True)
class Mutant:
    """A bug in a network: that side is built from `network`, the other from the network as drawn."""

    mutation: Mutation
    side: str
    place: Place
    network: Network


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
    mutation, place, new = choose(able)
    side = mutation.side or choose(("flax", "torch"))
    return Mutant(mutation, side, place, changed(network, place, new))


def changed(network: Network, place: Place, new: Settings) -> Network:
    """The network with other settings of one block."""
    return replace(network, blocks=_with(network.blocks, place, new))


def _with(blocks: tuple[Block, ...], place: Place, changed: Settings) -> tuple[Block, ...]:
    first, *inside = place
    block = blocks[first]
    if inside:
        new = replace(block, inner=_with(block.inner, tuple(inside), changed))
    else:
        new = replace(block, settings={**block.settings, **changed})
    return (*blocks[:first], new, *blocks[first + 1 :])
