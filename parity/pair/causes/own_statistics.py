"""Reads the conventions of a batch norm of the user's own off what it does to its running statistics."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Call
from parity.interface.trace import Arrays
from parity.pair.causes.conventions import uses_of, values_per_channel
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, WeightMap

ROLES = ("running_mean", "running_var")
DIGITS = 12
"""Of a momentum that is measured."""


def measured(
    weight_map: WeightMap, flax: tuple[Arrays, Arrays], torch: tuple[Arrays, Arrays], calls: Sequence[Call]
) -> WeightMap:
    """The map, in which each of Flax's norms that is paired with a BatchNorm of PyTorch's, and is none of Flax's, has
    the momentum and the variance that its statistics show.

    Args:
        weight_map: The map.
        flax, torch: Both sides' native arrays in float64 before and after one training pass.
        calls: PyTorch's calls of that pass.
    """
    layers = tuple(_measured(layer, flax, torch, calls) for layer in weight_map.layers)
    return replace(weight_map, layers=layers)


def _measured(
    layer: LayerPairing, flax: tuple[Arrays, Arrays], torch: tuple[Arrays, Arrays], calls: Sequence[Call]
) -> LayerPairing:
    share = layer.torch.settings.get("keep")
    named = {_role(array): array for array in layer.arrays}
    if layer.torch.kind != "batch_norm" or layer.flax.kind != "custom" or share in (None, 1.0) or ROLES[1] not in named:
        return layer
    count, uses = values_per_channel(layer, calls), uses_of(layer, calls)
    share **= uses
    ours = {role: [array.flax.read(native) for native in flax] for role, array in named.items() if role in ROLES}
    theirs = {role: [array.torch.read(native) for native in torch] for role, array in named.items() if role in ROLES}
    fresh = {role: (after - share * before) / (1.0 - share) for role, (before, after) in theirs.items()}
    biased = fresh[ROLES[1]] * ((count - 1) / count)
    before, after = ours[ROLES[1]]
    keep, misfit = _kept(before, after, biased)
    unbiased, other = _kept(before, after, fresh[ROLES[1]])
    kept, variance = (keep, "biased") if misfit <= other else (unbiased, "unbiased")
    kept = kept if uses == 1 else max(kept, 0.0) ** (1 / uses)
    settings = (float(f"{kept:.{DIGITS}g}"), variance)
    norm = replace(layer.flax, kind="batch_norm", settings=dict(zip(("keep", "running_var"), settings, strict=True)))
    arrays = tuple(replace(array, role=_role(array)) for array in layer.arrays)
    return replace(layer, flax=norm, arrays=arrays)


def _role(array: ArrayPairing) -> str:
    """The role of the array in PyTorch's norm, where that is a statistic."""
    last = array.torch.names[0].rpartition(".")[2]
    return last if last in ROLES else array.role


def _kept(before: NDArray, after: NDArray, fresh: NDArray) -> tuple[float, float]:
    """The share of what was there that is left after one step, and how far the step is from what it would be so."""
    way, gone = (before - fresh).ravel(), (after - fresh).ravel()
    keep = float(gone @ way / (way @ way)) if way.any() else 0.0
    return keep, float(np.linalg.norm(gone - keep * way))
