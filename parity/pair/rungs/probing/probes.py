"""Tries what a probe gives both networks, and says where they part if they do so there alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Inputs
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.layout import compare, turned
from parity.pair.causes.explained import PROBED
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import pair_calls
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import compare_layers
from parity.pair.passes.result_pairs import ResultPairs
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.passes.tables import unify_tables
from parity.pair.rungs.decisions import nudged, ruled_again
from parity.pair.rungs.probing.inputs import Probe, probes
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.ties import clashes

MODE = "evaluation"


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


def probed(state: CheckState) -> tuple[list[Finding], Located | None]:
    """What the probes found, those that could not be tried being noted; and where the networks part on the first probe
    at which they do, if they agree on the user's own inputs."""
    findings: list[Finding] = []
    odd: list[Probe] = []
    for probe in probes(state.weight_map, state.sides, state.proof.torch, state.passes[MODE].torch["float64"].calls):
        state.sides.watch.note(f"probe: {probe.name}")
        outcome = try_probe(probe, state.weight_map, state.sides)
        if isinstance(outcome, str):
            state.notes.append(outcome)
            continue
        findings += outcome
        odd += [probe] if any(finding.verdict is Verdict.DIFFERENT for finding in outcome) else []
    return findings, located(state, odd[0]) if odd and state.compared[MODE].agrees else None


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


def try_probe(probe: Probe, weight_map: WeightMap, sides: SidePair) -> list[Finding] | str:
    """The findings on what the networks return, or why it could not be tried. A network whose results are random, or
    differ already in shape or kind, has none that a probe adds to."""
    if clash := clashes(weight_map, "torch", probe.torch):
        return f"{probe.name}: not tried, {clash[0]} hold different numbers and Flax ties them"
    runs = _Runs(probe, weight_map, sides)
    theirs, ours = runs.outputs("torch", "float64"), runs.outputs("flax", "float64")
    if isinstance(ours, str) or isinstance(theirs, str):
        return f"{probe.name}: not tried, {_refused(isinstance(ours, str), isinstance(theirs, str))}"
    low = runs.outputs("torch", "float32")
    if isinstance(low, str):
        return f"{probe.name}: not tried, PyTorch's network does not take it in float32"
    if any(not np.isfinite(a).all() for by in (ours, theirs, low) for a in by.values() if a.dtype.kind == "f"):
        return f"{probe.name}: not ruled on, there are numbers that are not finite"
    returned, pairs = _Returned(ours, theirs, low), sides.results.of(MODE)
    findings = list(_findings(probe.name, pairs, returned))
    if all(finding.verdict.passes for finding in findings):
        return findings
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
        torch = self.probe.torch
        native = torch if side == "torch" else weights.to_flax(self.weight_map, torch, self.sides.flax.native)
        run_pass, inputs = self.sides.run_pass, self.probe.inputs
        return _attempt(lambda: run_pass(side, native, "evaluation", precision, inputs, gradients=False).outputs)

    def moved(self) -> list[tuple[Arrays, Arrays]]:
        """What both return from starts moved by what passes for rounding, for whole numbers to be ruled on."""
        if not self.sides.results.of("evaluation").exact[0]:
            return []
        return list(nudged(self.sides, self.weight_map, self.probe.torch, "evaluation", self.probe.inputs))


def _refused(flax: bool, torch: bool) -> str:
    if flax and torch:
        return "neither network takes it"
    return f"{'Flax' if flax else 'PyTorch'}'s network does not take it though the other does"


@dataclass(frozen=True)
class _Returned:
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


def _findings(name: str, pairs: ResultPairs, returned: _Returned) -> Iterator[Finding]:
    exact = set(pairs.exact[1])
    for a, b in pairs.pairs:
        finding = returned.rule_exact(a, b) if b in exact else returned.rule(a, b)
        yield replace(finding, quantity=f"{PROBED}{name}", mode=MODE)


def _attempt(look: Callable[[], Mapping[str, NDArray]]) -> Arrays | str:
    """What a network returns, or what it raised: nobody knows what a user's network raises for other shapes."""
    try:
        return dict(look())
    except Exception as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
