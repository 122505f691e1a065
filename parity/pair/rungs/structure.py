"""Rung 1 of a pair: every array that has an effect has a counterpart, and the map is decided."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.errors import counted
from parity.interface.packing import Packing
from parity.pair.causes.dropped import dropped
from parity.pair.causes.explained import UNUSED, explained
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs.constants import unsaved_constants
from parity.pair.rungs.map_table import UNKNOWN, has_effect, table
from parity.pair.rungs.trained import never_used, storage, trained
from parity.pair.weightmap.pairing.pairings import WeightMap, last_part
from parity.pair.weightmap.random_weights import name_of
from parity.pair.weightmap.ties import held, tied, whose
from parity.report.records import Convention


def structure(state: CheckState) -> Rung:
    """Rung 1: every array that has an effect has a counterpart, both sides train the same, and the map is decided.

    Args:
        state: What both modes showed, or evaluation alone: whether an array has an effect is read from its gradients.
    """
    findings = [
        Finding(
            "weight map",
            "",
            Verdict.SAME,
            reason=counted(len(state.weight_map.layers), "pair of layers", "pairs of layers"),
        )
    ]
    for side, lone in (("flax", state.weight_map.lone_flax), ("torch", state.weight_map.lone_torch)):
        findings += [_lone(state, side, unit.path, list(unit.arrays.values())) for unit in lone]
    for layer in state.weight_map.layers:
        for side, unit, roles in (("flax", layer.flax, layer.lone_flax), ("torch", layer.torch, layer.lone_torch)):
            findings += [_lone(state, side, unit.path, [unit.arrays[role]]) for role in roles]
    findings += [
        Finding("tie", name_of(layer, array), Verdict.DIFFERENT, reason=whose(array))
        for layer, array in state.weight_map.arrays
        if array.tie is not None
    ]
    findings += [*trained(state), *storage(state), *unsaved_constants(state), *dropped(state), *_proven(state)]
    if unpaired(state.weight_map):
        reason = "both sides have arrays without a counterpart that may be one; give map= with the right pairs"
        findings = [replace(f, verdict=Verdict.INCONCLUSIVE) if f.verdict is Verdict.DIFFERENT else f for f in findings]
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    if state.proof.undecided:
        left = ", ".join(state.proof.undecided[:4])
        reason = f"{state.proof.tried} readings tried, none agrees; not tried: {left}; give map= with the right pairs"
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    return rung(1, NAMES[1], findings)


def tie_convention(state: CheckState, ruled: Rung, accept: Sequence[str]) -> list[Convention]:
    """The convention that explains the rung, where one side ties what the other does not: it is confirmed if nothing
    else differs there and the networks agree with the tied array in both places."""
    ties = tied(state.weight_map)
    if not ties:
        return []
    alone = explained(ruled.findings)
    text = f"{whose(ties[0])}; {'; '.join(map(held, ties))}"
    return [Convention("tied_weights", text, (1,), alone and state.proof.agrees, "tied_weights" in accept)]


def _lone(state: CheckState, side: str, path: str, packings: Sequence[Packing]) -> Finding:
    """An array without a counterpart: a difference if it is learnt and has an effect, or is learnt by name only as
    nothing uses it."""
    network_side = state.sides.side(side)
    names = list(dict.fromkeys(name for packing in packings for name in packing.names))
    learnt = [packing for packing in packings if network_side.parameters.issuperset(packing.names)]
    effect = any(has_effect(getattr(both, side), packing) for both in state.passes.values() for packing in learnt)
    other = "torch" if side == "flax" else "flax"
    reason = f"{', '.join(names)} of {side} has no counterpart in {other}{_other_shape(state, side, names)}"
    if effect and not state.sides.backward:
        return Finding("weight map", path, Verdict.INCONCLUSIVE, reason=f"{reason}, and {UNKNOWN}")
    if effect:
        return Finding("weight map", path, Verdict.DIFFERENT, reason=reason)
    if learnt and never_used(state, network_side, [name for packing in learnt for name in packing.names]):
        return Finding(UNUSED, path, Verdict.DIFFERENT, np.inf, reason=f"{reason}, and nothing uses it")
    return Finding("weight map", path, Verdict.SAME, reason=f"{reason}, and no effect" if learnt else reason)


def _other_shape(state: CheckState, side: str, names: Sequence[str]) -> str:
    """What the other side has left by the same last name in another shape, in words; "" if that is not one array."""
    other = "torch" if side == "flax" else "flax"
    if len(names) != 1:
        return ""
    lone = dict.fromkeys(name for _, packing in state.weight_map.lone(other) for name in packing.names)
    left = [name for name in lone if last_part(name) == last_part(names[0])]
    if len(left) != 1:
        return ""
    ours, theirs = state.proof.arrays(side)[names[0]].shape, state.proof.arrays(other)[left[0]].shape
    return f": {left[0]} has the shape {theirs} there, not {ours}"


def _proven(state: CheckState) -> list[Finding]:
    """An inconclusive finding if the networks agree and no array that both have is proven.

    Any numbers would do then, so that nothing is known of the map.
    """
    if not state.sides.backward or not state.proof.agrees:
        return []
    lines = [line for line in table(state) if line.flax and line.torch]
    if not lines or any(line.proven for line in lines):
        return []
    reason = f"none of {len(lines)} arrays is proven: they have no effect on what the networks return"
    return [Finding("weight map", "", Verdict.INCONCLUSIVE, np.inf, reason=reason)]


def unpaired(weight_map: WeightMap) -> bool:
    """Whether what is left over on both sides may be the same arrays, held in a way that was not recognised.

    Args:
        weight_map: The map. Layers of unlike kinds, and recurrent ones, may be the same in another form.
    """
    ours, theirs = weight_map.lone_flax, weight_map.lone_torch
    recurrent = any(unit.kind in ("lstm", "gru", "rnn") for unit in (*ours, *theirs))
    kinds = {unit.kind for unit in ours} != {unit.kind for unit in theirs}
    return bool(ours and theirs) and (recurrent or kinds)
