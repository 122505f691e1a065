"""Tries what a probe gives both networks, and says where they part if they do so there alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Inputs, Returned
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.layout import compare, turned
from parity.pair.causes.conventions import convention_of_probe
from parity.pair.causes.explained import PROBED
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import pair_calls
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import compare_layers, in_one_shape, shapes
from parity.pair.passes.result_pairs import ResultPairs
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.passes.tables import unify_tables
from parity.pair.rungs.decisions import nudged, ruled_again
from parity.pair.rungs.probing.inputs import AT_BORDERS, Probe, probes
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.ties import clashes

MODE = "evaluation"
Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Located:
    """The first probe at which the networks differ.

    Args:
        name: the probe's name.
        state: what both sides showed on it, in the place of what they showed on the user's inputs.
        inputs: the probe's inputs; None if they are the user's.
    """

    name: str
    state: CheckState
    inputs: Inputs | None = None


def probed(state: CheckState, accept: Sequence[str] = ()) -> tuple[list[Finding], Located | None]:
    """What the probes found, those that could not be tried being noted; and where the networks part on the first probe
    at which they do, if they agree on the user's own inputs.

    Args:
        state: What is known of the pair; notes are put into it.
        accept: Names of conventions that are no difference to the user: another probe is shown, if one differs.
    """
    findings: list[Finding] = []
    odd: list[Probe] = []
    for probe in probes(state.weight_map, state.sides, state.proof.torch, state.passes[MODE].torch["float64"].calls):
        for part, outcome in _tried(probe, state):
            if isinstance(outcome, NotTried):
                silent = part.is_guess and (outcome.by_both or part.name == AT_BORDERS)
                state.notes += [] if silent else [outcome.words]
                continue
            findings += outcome
            odd += [part] if any(finding.verdict is Verdict.DIFFERENT for finding in outcome) else []
    odd.sort(key=lambda probe: convention_of_probe(probe.name) in accept)
    return findings, located(state, odd[0]) if odd and state.compared[MODE].agrees else None


def _tried(probe: Probe, state: CheckState) -> Iterator[tuple[Probe, "list[Finding] | NotTried"]]:
    """The probe and what it found; its parts in its place, where it says nothing or they say what differs."""
    state.sides.watch.note(f"probe: {probe.name}")
    outcome = try_probe(probe, state.weight_map, state.sides)
    agrees = isinstance(outcome, list) and all(finding.verdict.passes for finding in outcome)
    parts = [] if agrees else [part for each in probe.parts for part in _tried(each, state)]
    yield from parts
    if agrees or not probe.parts or (isinstance(outcome, list) and not any(map(_differs, parts))):
        yield probe, outcome


def _differs(tried: tuple[Probe, "list[Finding] | NotTried"]) -> bool:
    outcome = tried[1]
    return isinstance(outcome, list) and not all(finding.verdict.passes for finding in outcome)


def located(state: CheckState, probe: Probe) -> Located | None:
    """What every layer shows on a probe; None if the networks do not take it with their layers being recorded.

    Args:
        state: What is known of the pair; it is left as it is.
        probe: The inputs and the weights. Gradients are not computed.
    """
    flax = weights.to_flax(state.weight_map, probe.torch, state.sides.flax.native)
    run_pass = state.sides.run_pass
    try:
        both = BothSides(
            {p: run_pass("flax", flax, MODE, p, probe.inputs, gradients=False, feeds={}) for p in PRECISIONS},
            {p: run_pass("torch", probe.torch, MODE, p, probe.inputs, gradients=False, feeds={}) for p in PRECISIONS},
        )
        pairs = pair_calls(state.weight_map, both)
        compared = compare_layers(pairs, both, state.sides.results.of(MODE), MODE)
    except Exception:  # nobody knows what a user's network raises for other shapes
        return None
    proof = replace(state.proof, flax=flax, torch=probe.torch)
    shown = replace(state, proof=proof, passes={MODE: both}, calls={MODE: pairs}, compared={MODE: compared})
    return Located(probe.name, shown, probe.inputs)


@dataclass(frozen=True)
class NotTried:
    """A probe that says nothing.

    Args:
        words: the reason, for people.
        by_both: whether neither network takes what it gives.
    """

    words: str
    by_both: bool = False


def try_probe(probe: Probe, weight_map: WeightMap, sides: SidePair) -> list[Finding] | NotTried:
    """The findings on what the networks return, or why it could not be tried. A network whose results are random, or
    differ already in shape or kind, has none that a probe adds to."""
    if clash := clashes(weight_map, "torch", probe.torch):
        return NotTried(f"{probe.name}: not tried, {clash[0]} hold different numbers and Flax ties them")
    runs = _Runs(probe, weight_map, sides)
    theirs = runs.outputs("torch", "float64")
    if isinstance(theirs, str):
        return _refused(probe, flax=isinstance(runs.traced(), str), torch=True)
    ours = runs.outputs("flax", "float64")
    if isinstance(ours, str):
        return _refused(probe, flax=True, torch=False)
    low = runs.outputs("torch", "float32")
    if isinstance(low, str):
        return NotTried(f"{probe.name}: not tried, PyTorch's network does not take it in float32")
    if not all(map(_is_finite, (ours, theirs, low))) and not (probe.is_small and runs.undefined_alone(ours, theirs)):
        where = _not_finite({"Flax": ours, "PyTorch": theirs, "PyTorch in float32": low})
        return NotTried(f"{probe.name}: not ruled on, there are numbers that are not finite in {where}", by_both=True)
    returned, pairs = _Outputs(ours, theirs, low), sides.results.of(MODE)
    findings = list(_findings(probe.name, pairs, returned))
    if all(finding.verdict.passes for finding in findings):
        return findings
    if probe.grows and (beyond := runs.reads_beyond()):
        words = f"not ruled on, Flax's network reads past the end of an array there, at {', '.join(beyond)}"
        return NotTried(f"{probe.name}: {words}")
    if unify_tables(sides, weight_map, probe.inputs):
        equal = runs.outputs("flax", "float64")
        assert not isinstance(equal, str)  # it ran a moment ago
        returned = replace(returned, flax=equal)
    flax_low = runs.outputs("flax", "float32")
    known = replace(returned, flax_low=None if isinstance(flax_low, str) else flax_low, moved=runs.moved())
    return list(_findings(probe.name, pairs, known))


@dataclass(frozen=True)
class _Runs:
    """Passes of both sides on a probe."""

    probe: Probe
    weight_map: WeightMap
    sides: SidePair

    def outputs(self, side: Literal["flax", "torch"], precision: Precision) -> Arrays | str:
        """What a side returns, or what it raised."""
        native = self.probe.torch if side == "torch" else self._flax
        run_pass, inputs = self.sides.run_pass, self.probe.inputs
        return _attempt(lambda: dict(run_pass(side, native, MODE, precision, inputs, gradients=False).outputs))

    @property
    def _flax(self) -> Arrays:
        return weights.to_flax(self.weight_map, self.probe.torch, self.sides.flax.native)

    def reads_beyond(self) -> list[str]:
        """The user's lines at which Flax's network reads past the end of an array, as it does not on the user's own
        inputs: what it is given is more than it is made for."""
        lines, users = (self._beyond(inputs) for inputs in (self.probe.inputs, None))
        return [line for line in lines if line not in users]

    def _beyond(self, inputs: Inputs | None) -> list[str]:
        adapted = self.sides.pair_inputs.adapted("flax", inputs)
        lines = _attempt(lambda: self.sides.flax.reads_beyond(self._flax, adapted))
        return lines if isinstance(lines, list) else []

    def undefined_alone(self, flax: Arrays, torch: Arrays) -> bool:
        """Whether a result is finite on one side at places where it is not on the other, and rounding does not decide.

        Args:
            flax, torch: What each side returns in float64.
        """
        moved = list(nudged(self.sides, self.weight_map, self.probe.torch, MODE, self.probe.inputs))
        for a, b in _pairs(self.sides.results.of(MODE), _Outputs(flax, torch, torch)):
            if a in flax and b in torch and np.isfinite(flax[a]).sum() != np.isfinite(torch[b]).sum():
                ours, theirs = np.isfinite(flax[a]), np.isfinite(torch[b])
                return all(
                    np.array_equal(np.isfinite(m[a]), ours) and np.array_equal(np.isfinite(n[b]), theirs)
                    for m, n in moved
                )
        return False

    def traced(self) -> Returned | str:
        """What Flax's network returns, or what it raised: it is traced, and no program is compiled."""
        inputs = self.sides.pair_inputs.adapted("flax", self.probe.inputs)
        return _attempt(lambda: self.sides.flax.returned(inputs))

    def moved(self) -> list[tuple[Arrays, Arrays]]:
        """What both return from starts moved by what passes for rounding, for whole numbers to be ruled on."""
        if not self.sides.results.of("evaluation").exact[0]:
            return []
        return list(nudged(self.sides, self.weight_map, self.probe.torch, "evaluation", self.probe.inputs))


def _refused(probe: Probe, *, flax: bool, torch: bool) -> NotTried:
    """The probe that a network refuses, or both do."""
    if flax and torch:
        return NotTried(f"{probe.name}: not tried, neither network takes it", by_both=True)
    sides = "Flax" if flax else "PyTorch"
    return NotTried(f"{probe.name}: not tried, {sides}'s network does not take it though the other does")


@dataclass(frozen=True)
class _Outputs:
    """What the networks return on a probe, by the name of the result.

    Args:
        flax, torch: Each side's in float64.
        torch_low, flax_low: Each side's in float32; Flax's is None as long as it is not needed, or where its network
            does not run in float32.
        moved: Flax's and PyTorch's from starts that are moved by what passes for rounding.
    """

    flax: Arrays
    torch: Arrays
    torch_low: Arrays
    flax_low: Arrays | None = None
    moved: Sequence[tuple[Arrays, Arrays]] = ()

    def rule_exact(self, a: str, b: str) -> Finding:
        """The finding on a result of whole numbers or truth values, Flax's `a` and PyTorch's `b`."""
        moved = [(flax[a], torch[b]) for flax, torch in self.moved]
        return ruled_again(b, self.flax[a], self.torch[b], moved, None)

    def rule(self, a: str, b: str) -> Finding:
        """The finding on a floating result, in the layout that PyTorch returns."""
        flax, low = self.flax[a], None if self.flax_low is None else self.flax_low[a]
        turn = turned(flax, self.torch[b])
        if turn is not None:
            flax, low = turn[1](flax), None if low is None else turn[1](low)
        return compare("result", b or "network", flax, self.torch[b], self.torch_low[b], low)


def _findings(name: str, pairs: ResultPairs, returned: _Outputs) -> Iterator[Finding]:
    """What the networks return on a probe, leaf by leaf: whether both have it, its shape, and its numbers."""
    exact, quantity = set(pairs.exact[1]), f"{PROBED}{name}"
    for a, b in _pairs(pairs, returned):
        missing = a not in returned.flax, b not in returned.torch
        if any(missing):
            words = f"only {'PyTorch' if missing[0] else 'Flax'} returns {b or a or 'an array'}"
            yield Finding(quantity, b or a or "network", Verdict.DIFFERENT, np.inf, reason=words, mode=MODE)
            continue
        finding = _of_shape(pairs, returned, a, b)
        if finding is None:
            finding = returned.rule_exact(a, b) if b in exact else returned.rule(a, b)
        yield replace(finding, quantity=quantity, mode=MODE)


def _pairs(pairs: ResultPairs, returned: _Outputs) -> list[tuple[str, str]]:
    """The names of the leaves that are compared: those of the user's inputs, without what neither network returns, and
    what is there on the probe alone, as where there is a result for each sample."""
    known = [(a, b) for a, b in pairs.pairs if a in returned.flax or b in returned.torch]
    fresh = [
        *(name for name in returned.flax if name not in pairs.flax.leaves),
        *(name for name in returned.torch if name not in pairs.torch.leaves),
    ]
    return [*known, *((name, name) for name in dict.fromkeys(fresh))]


def _of_shape(pairs: ResultPairs, returned: _Outputs, a: str, b: str) -> Finding | None:
    """The finding that a result has another shape on a probe, where it has the same on the user's own inputs."""
    ours, theirs = returned.flax[a].shape, returned.torch[b].shape
    if in_one_shape(ours, theirs):
        return None
    if a in pairs.flax.leaves and not in_one_shape(pairs.flax.leaves[a].shape, pairs.torch.leaves[b].shape):
        return None
    return Finding("", b or "network", Verdict.DIFFERENT, np.inf, reason=shapes(ours, theirs))


def _is_finite(by: Arrays) -> bool:
    return all(np.isfinite(array).all() for array in by.values() if array.dtype.kind == "f")


def _not_finite(returned: Mapping[str, Arrays]) -> str:
    """Where numbers are not finite: one side or both, or in float32 alone."""
    where = [name for name, arrays in returned.items() if not _is_finite(arrays)]
    return "both networks" if {"Flax", "PyTorch"} <= set(where) else where[0]


def _attempt(look: Callable[[], Shown]) -> Shown | str:
    """What a network shows, or what it raised: nobody knows what a user's network raises for other shapes."""
    try:
        return look()
    except Exception as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
