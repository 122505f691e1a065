"""Which arrays each side trains, uses and in which dtype it keeps them: part of what makes two networks the same."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.checks.verdict import Finding, Verdict
from parity.interface.random import single
from parity.interface.side import FRAMEWORKS, Side
from parity.pair.causes.explained import STORED, TRAINED
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import SidePair
from parity.pair.rungs.map_table import UNKNOWN, changes_results, has_effect
from parity.pair.weightmap.pairing.pairings import ArrayPairing
from parity.pair.weightmap.random_weights import name_of

NARROW = frozenset({"float16", "bfloat16"})
SIDES = ("flax", "torch")
STEPS = 3
"""Steps of an optimizer after which what has not moved is left as it is: the first learning rate may be zero."""


def trained(state: CheckState) -> list[Finding]:
    """One finding for each array that one side trains and the other does not. A parameter whose gradient is zero is not
    trained, whatever it is declared as (stop_gradient in Flax, detach in PyTorch)."""
    findings = []
    for layer, array in state.weight_map.arrays:
        declared = {side: _share(state, side, getattr(array, side).names) for side in SIDES}
        if array.tie is None and declared["flax"] != declared["torch"]:
            findings.append(_trained(state, name_of(layer, array), array, max(SIDES, key=lambda side: declared[side])))
    return findings


def _trained(state: CheckState, name: str, array: ArrayPairing, trains: str) -> Finding:
    """The finding on an array that the one side trains, as it says, and the other does not, or not all of it."""
    words = ", ".join(
        f"{' + '.join(names := getattr(array, side).names)} {_standing(state, side, names[0])} in {FRAMEWORKS[side]}"
        for side in (trains, *(other for other in SIDES if other != trains))
    )
    if not state.sides.backward:
        return Finding(TRAINED, name, Verdict.INCONCLUSIVE, np.inf, reason=f"{words}; {UNKNOWN}")
    if any(has_effect(getattr(both, trains), getattr(array, trains)) for both in state.passes.values()):
        return Finding(TRAINED, name, Verdict.DIFFERENT, np.inf, reason=words)
    return Finding(TRAINED, name, Verdict.SAME, reason=f"{words}, where its gradient is zero: trained in neither")


def _share(state: CheckState, side: str, names: Sequence[str]) -> float:
    parameters = state.sides.side(side).parameters
    return sum(name in parameters and f"{side}:{name}" not in state.still for name in names) / len(names)


def _standing(state: CheckState, side: str, name: str) -> str:
    return (
        "is left as it is by the optimizer"
        if f"{side}:{name}" in state.still
        else state.sides.side(side).standing(name)
    )


def left_still(sides: SidePair, optimizers: tuple[Any, Any]) -> frozenset[str]:
    """Names, as "flax:…" and "torch:…", of the trained arrays that the users' optimizers leave as they are whatever
    their gradients are, as they are masked or in no group; of a side whose optimizer moves nothing at all, none.

    Raises:
        UserCodeError: an optimizer does not take the network's parameters.
    """
    names: set[str] = set()
    for side, optimizer in zip((sides.flax, sides.torch), optimizers, strict=True):
        rng = np.random.default_rng([sides.seed, 11])
        parameters = {name: single(side.native[name]) for name in sorted(side.parameters)}
        stream = [{n: single(1.0 + rng.random(a.shape)) for n, a in parameters.items()} for _ in range(STEPS)]
        with sides.watch.running(f"the first steps of {FRAMEWORKS[side.framework]}'s optimizer"):
            after = side.update(optimizer, parameters, stream, "float64")[-1]
        still = {name for name, array in parameters.items() if np.array_equal(array, after[name])}
        names |= {f"{side.framework}:{name}" for name in still if len(still) < len(parameters)}
    return frozenset(names)


def storage(state: CheckState) -> list[Finding]:
    """Findings on arrays that are kept in a narrower dtype on one side than on the other.

    The formula is the same then, but the network is not. Arrays that differ alike share one finding.
    """
    stored = {side: state.sides.side(side).stored for side in SIDES}
    apart: Counter[tuple[str, ...]] = Counter()
    for _, array in state.weight_map.arrays:
        dtypes = tuple(" and ".join(sorted({stored[side][n] for n in getattr(array, side).names})) for side in SIDES)
        if dtypes[0] != dtypes[1] and NARROW & {*dtypes[0].split(" and "), *dtypes[1].split(" and ")}:
            apart[dtypes] += 1
    total = sum(1 for _ in state.weight_map.arrays)
    return [
        Finding(STORED, "network", Verdict.DIFFERENT, np.inf, reason=_stored(flax, torch, count, total))
        for (flax, torch), count in apart.items()
    ]


def _stored(flax: str, torch: str, count: int, total: int) -> str:
    which = "all arrays are" if count == total else f"{count} of {total} arrays are"
    return f"{which} kept in {flax} in Flax, in {torch} in PyTorch; in float64 they are judged as one formula"


def never_used(state: CheckState, side: Side, names: Sequence[str]) -> bool:
    """Whether other numbers in arrays of a side change nothing of what it returns in evaluation; not only their
    gradient is zero."""
    shown = getattr(state.passes["evaluation"], side.framework)["float64"]
    if any(np.any(shown.parameter_gradients.get(name, 0.0)) for name in names):
        return False
    return not changes_results(state, side.framework, names)
