"""Tables that both networks hold under other names: constants of theirs, and no state that is carried over."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parity.checks.tables import are_one_table, is_table, nudged, spread
from parity.interface.observation import Table
from parity.pair.weightmap.pairing.names import telling_words
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap


@dataclass(frozen=True)
class HeldArrays:
    """The native arrays of one side by name, and the names of those that it trains."""

    arrays: Mapping[str, NDArray]
    trained: Container[str]


def without_constants(weight_map: WeightMap, flax: HeldArrays, torch: HeldArrays) -> WeightMap:
    """The map without layers that hold nothing but the same tables under other names.

    Two layers may hold one table of sines each and compute the other's, so that what looks like one array is two. Left
    alone, each is held against what the other side computes, by its numbers.
    """
    constant = [layer for layer in weight_map.layers if _is_constant(layer, flax, torch)]
    return replace(
        weight_map,
        layers=tuple(layer for layer in weight_map.layers if layer not in constant),
        lone_flax=(*weight_map.lone_flax, *(layer.flax for layer in constant)),
        lone_torch=(*weight_map.lone_torch, *(layer.torch for layer in constant)),
        others={name: without_constants(other, flax, torch) for name, other in weight_map.others.items()},
    )


def _is_constant(layer: LayerPairing, flax: HeldArrays, torch: HeldArrays) -> bool:
    """Whether a pairing of layers of no known kind, of other names, holds nothing but equal tables."""
    of_no_kind = layer.flax.kind == layer.torch.kind == "custom" and layer.piece is None
    if not of_no_kind or telling_words(layer.flax.path) == telling_words(layer.torch.path):
        return False
    for array in layer.arrays:
        trained = [n in flax.trained for n in array.flax.names] + [n in torch.trained for n in array.torch.names]
        if any(trained) or not _are_one(array.flax.read(flax.arrays), array.torch.read(torch.arrays)):
            return False
    return True


def _are_one(flax: NDArray, torch: NDArray) -> bool:
    """Whether two arrays are one table, which each side rounded in its own way."""
    if flax.shape != torch.shape or not is_table(flax):
        return False
    wide = np.result_type(flax.dtype, np.float64)
    return are_one_table(flax.astype(wide), torch.astype(wide), spread(Table(flax, nudged(flax), "")))
