"""Whole numbers and truth values that networks return: one that differs is no difference where scores are equal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import NUDGE, equal_to_rounding, rule_exact
from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Inputs, PassResult
from parity.interface.trace import Arrays
from parity.pair.arrays.domain import resized
from parity.pair.arrays.layout import floating, turned
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import VALUES, Compared, agreed
from parity.pair.passes.sides import SidePair
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap

STARTS = 4
"""So many times is the start moved: a tie that one move leaves as it is, another one breaks."""


def settled_ties(state: CheckState, compared: Compared, mode: str) -> Compared:
    """What was compared, with ties told from differences among results of whole numbers and truth values.

    An argmax, say, may fall on either of two scores that are equal to rounding. Passes are run only where such a result
    differs.

    Args:
        state: What is known of the pair; its arrays are those that the networks are run with again.
        compared: The findings of one mode.
        mode: "evaluation" or "training", whichever `compared` is of.

    Raises:
        UserCodeError: A network does not run with the moved numbers.
    """
    exact = {b: a for a, b in zip(*state.sides.results.of(mode).exact, strict=True)}
    odd = {f.name for f in compared.results if f.quantity == VALUES and f.verdict is Verdict.DIFFERENT}
    names = {b: a for b, a in exact.items() if (b or "network") in odd}
    if not names:
        return compared
    both = state.passes[mode]
    seen = {"flax": both.flax["float64"].outputs, "torch": both.torch["float64"].outputs}
    moved = list(nudged(state.sides, state.weight_map, state.proof.torch, mode))
    ruled = {}
    for b, a in names.items():
        tied = tied_scores(both, a, b)
        ruled[b or "network"] = ruled_again(
            b, seen["flax"][a], seen["torch"][b], [(m[0][a], m[1][b]) for m in moved], tied
        )
    results = tuple(
        replace(ruled[f.name], mode=mode) if f.quantity == VALUES and f.name in ruled else f for f in compared.results
    )
    return agreed(replace(compared, results=results))


def ruled_again(
    name: str, flax: NDArray, torch: NDArray, moved: Sequence[tuple[NDArray, NDArray]], tied: NDArray | None
) -> Finding:
    """The finding on whole numbers or truth values that knows what each side gives from moved starts.

    Args:
        name: PyTorch's name of the result; "" where there is one alone.
        flax, torch: Each side's result, in its own layout; one that fits in no layout is ruled on as it is.
        moved: Flax's and PyTorch's result from each moved start.
        tied: Truth values in PyTorch's layout that say where the scores are equal to rounding; None without scores.
    """
    turn = turned(flax, torch)
    if turn is None:
        return rule_exact(VALUES, name or "network", {"flax": flax, "torch": torch})
    both = {"flax": [turn[1](ours) for ours, _ in moved], "torch": [theirs for _, theirs in moved]}
    values = {"flax": turn[1](flax), "torch": torch}
    return rule_exact(VALUES, name or "network", values, moved=both, tied=tied)


def nudged(
    sides: SidePair, weight_map: WeightMap, torch: Arrays, mode: str, inputs: Inputs | None = None
) -> Iterator[tuple[Arrays, Arrays]]:
    """What both sides return in float64 where weights and inputs are moved by what passes for rounding.

    Args:
        sides: The two sides, whose seed decides the moves.
        weight_map: The map by which PyTorch's moved arrays are carried over to Flax.
        torch: PyTorch's arrays by native name, each number of which is moved by the factor 1 ± `referee.NUDGE`.
        mode: "evaluation" or "training".
        inputs: What both are called with; the user's own if left out. Their floating numbers are moved too.

    Yields:
        Flax's and PyTorch's results by name, for each of `STARTS` starts.

    Raises:
        UserCodeError: A network does not run with the moved numbers.
    """
    batch = sides.inputs if inputs is None else inputs
    for number in range(STARTS):
        rng = np.random.default_rng([sides.seed, 9, number])
        theirs = {name: _moved(array, rng) for name, array in torch.items()}
        ours = weights.to_flax(weight_map, theirs, sides.flax.native)
        near = resized(batch, lambda array, rng=rng: _moved(array, rng))  # type: ignore[misc]
        yield (
            sides.run_pass("flax", ours, mode, "float64", near, gradients=False).outputs,
            sides.run_pass("torch", theirs, mode, "float64", near, gradients=False).outputs,
        )


def _moved(array: NDArray, rng: np.random.Generator) -> NDArray:
    return array.astype(np.float64) * (1.0 + NUDGE * rng.choice([-1.0, 1.0], array.shape))


def tied_scores(both: BothSides, flax: str, torch: str) -> NDArray | None:
    """Truth values that say where the scores at both sides' indices are equal to rounding; None without scores.

    Scores are an array among what was seen whose largest, or smallest, number along an axis is at the index everywhere.
    """
    sides: Mapping[str, PassResult] = {"flax": both.flax["float64"], "torch": both.torch["float64"]}
    ours, theirs = sides["flax"].outputs[flax], sides["torch"].outputs[torch]
    if ours.shape != theirs.shape or ours.dtype.kind not in "iu" or theirs.dtype.kind not in "iu":
        return None
    for side, calls, other in (("torch", theirs, ours), ("flax", ours, theirs)):
        for scores, axis in _scores(sides[side], calls):
            if int(other.min(initial=0)) >= 0 and int(other.max(initial=0)) < scores.shape[axis]:
                return equal_to_rounding(_at(scores, calls, axis), _at(scores, other, axis))
    return None


def _scores(seen: PassResult, chosen: NDArray) -> Iterator[tuple[NDArray, int]]:
    """Arrays of which the indices are those of the largest or smallest numbers, with the axis."""
    inside = [array for call in reversed(seen.calls) for array in floating(call.outputs)]
    for scores in [*floating(list(seen.outputs.values())), *inside]:
        for axis in range(scores.ndim):
            fits = scores.shape[:axis] + scores.shape[axis + 1 :] == chosen.shape
            if not fits or not chosen.size or not 0 <= int(chosen.min()) <= int(chosen.max()) < scores.shape[axis]:
                continue
            best = _at(scores, chosen, axis)
            if np.array_equal(best, scores.max(axis)) or np.array_equal(best, scores.min(axis)):
                yield scores, axis


def _at(scores: NDArray, index: NDArray, axis: int) -> NDArray:
    return np.take_along_axis(scores, np.expand_dims(index.astype(np.int64), axis), axis).squeeze(axis)
