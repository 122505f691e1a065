"""Rung 1 of a pair: every array that has an effect has a counterpart, and the map is decided."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.pair.match import Match
from parity.pair.work import Work


def structure(work: Work) -> Rung:
    """The rung, after both modes were seen."""
    findings = [Finding("weight map", "", Verdict.SAME, reason=f"{len(work.match.bonds)} pairs of layers")]
    for side, lone in (("flax", work.match.lone_flax), ("torch", work.match.lone_torch)):
        findings += [_lone(work, side, u.path, [n for p in u.arrays.values() for n in p.names]) for u in lone]
    for bond in work.match.bonds:
        for side, unit, roles in (("flax", bond.flax, bond.lone_flax), ("torch", bond.torch, bond.lone_torch)):
            findings += [_lone(work, side, unit.path, list(unit.arrays[role].names)) for role in roles]
    if unpaired(work.match):
        reason = "both sides have arrays without a counterpart that may be one; give map= with the right pairs"
        findings = [replace(f, verdict=Verdict.INCONCLUSIVE) if f.verdict is Verdict.DIFFERENT else f for f in findings]
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    if work.proof.undecided:
        left = ", ".join(work.proof.undecided[:4])
        reason = f"{work.proof.tried} readings tried, none agrees; not tried: {left}; give map= with the right pairs"
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    return rung(1, NAMES[1], findings)


def _lone(work: Work, side: str, path: str, names: Sequence[str]) -> Finding:
    """An array without a counterpart: a difference if it is learnt and has an effect."""
    views = [getattr(v, side)["float64"].parameter_gradients for v in work.views.values()]
    own = work.couple.flax if side == "flax" else work.couple.torch
    learnt = [name for name in names if name in own.parameters]
    effect = any(np.any(gradients.get(name, 0)) for gradients in views for name in learnt)
    other = "torch" if side == "flax" else "flax"
    reason = f"{', '.join(names)} of {side} has no counterpart in {other}"
    if effect:
        return Finding("weight map", path, Verdict.DIFFERENT, reason=reason)
    return Finding("weight map", path, Verdict.SAME, reason=f"{reason}, and no effect" if learnt else reason)


def unpaired(found: Match) -> bool:
    """Whether what is left over on both sides may be the same arrays, held in a way that was not recognised."""
    ours, theirs = found.lone_flax, found.lone_torch
    recurrent = any(unit.kind in ("lstm", "gru", "rnn") for unit in (*ours, *theirs))
    kinds = {unit.kind for unit in ours} != {unit.kind for unit in theirs}
    return bool(ours and theirs) and (recurrent or kinds)
