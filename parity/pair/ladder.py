"""The rungs of a check that were ruled so far, and the report on them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parity.checks.referee import within_float32
from parity.checks.verdict import Finding, Rung, Verdict, worst
from parity.interface.side import FRAMEWORKS
from parity.pair.arrays.inputs import described
from parity.pair.bar import BarMissedError
from parity.pair.causes.conventions import known_names
from parity.pair.causes.first_difference import first_difference
from parity.pair.explanations import Explanations, headed
from parity.pair.options import Request
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.modes import mode_not_switched, mode_to_ask_for, only_training
from parity.pair.passes.progress import Progress
from parity.pair.rungs.map_table import coverage, table
from parity.pair.rungs.probing.probes import Located
from parity.pair.rungs.structure import unpaired
from parity.pair.rungs.updates.schedule import Schedules
from parity.report.pair import Report
from parity.report.records import Convention, Layer, excusing


class Clock:
    """Measures how long the parts of a check take, and the whole."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._parts: dict[str, float] = {}

    def mark(self, part: str) -> None:
        """Say that the part of that name has ended."""
        now = time.perf_counter()
        self._parts[part], self._last = now - self._last, now

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by the part's name; "total" since the start."""
        return {**self._parts, "total": time.perf_counter() - self._started}


@dataclass
class LadderRun:
    """The rungs of one check so far.

    Args:
        request: What was asked.
        state: What is known of the pair.
        watch: Told of every rung.
        clock: Times the parts.
        schedules: The users' learning-rate schedules, None if there are none.
        tables: The names of buffers kept in float32 that explain a difference by themselves.
        alone: What each layer introduces itself, by the name of PyTorch's call and the mode.
        rungs, conventions: What was found so far.
        not_run: Why a rung was not reached, by its number.
        located: What both sides showed on the first probe that they differ at, by the number of the rung.
        explanations: The causes that were found so far.
    """

    request: Request
    state: CheckState
    watch: Progress
    clock: Clock
    schedules: Schedules | None = None
    tables: Sequence[str] = ()
    alone: Mapping[tuple[str, str], Finding] = field(default_factory=dict)
    rungs: list[Rung] = field(default_factory=list)
    conventions: list[Convention] = field(default_factory=list)
    not_run: dict[int, str] = field(default_factory=dict)
    located: dict[int, Located] = field(default_factory=dict)
    explanations: Explanations = field(default_factory=Explanations)

    @property
    def accept(self) -> Sequence[str]:
        """The names of the conventions that are no difference to the user."""
        return known_names(self.request.checks.accept)

    def ruled(self, rung: Rung) -> None:
        """Keep a rung that was ruled, in the place of an earlier and partial one of the same number."""
        others = [other for other in self.rungs if other.number != rung.number]
        self.rungs = sorted([*others, self._as_known(rung)], key=lambda rung: rung.number)
        self._require_bar()
        self.watch.ruled(self.report)

    def _require_bar(self) -> None:
        """End the check where it cannot show what it has to.

        Raises:
            BarMissedError: It cannot; causes are not looked for any more.
        """
        if self.request.bar is None:
            return
        self.explanations.searches = False
        if self.request.bar.missed(self.report()):
            raise BarMissedError
        self.explanations.searches = True

    def _as_known(self, rung: Rung) -> Rung:
        """The rung; one that rests on an undecided map, on tables kept in float32, or on a mode that may not have been
        switched, cannot be called different."""
        if rung.verdict is Verdict.DIFFERENT and only_training(rung) and mode_to_ask_for(self.state):
            return replace(rung, verdict=Verdict.INCONCLUSIVE, reason=mode_not_switched(self.state))
        if places := self._not_in_float64(rung):
            reason = f"rests on what is computed in float32 in the float64 passes too: {', '.join(places)}"
            return replace(rung, verdict=Verdict.INCONCLUSIVE, reason=reason)
        proof = self.state.proof
        undecided = proof.undecided or unpaired(proof.weight_map)
        if proof.agrees or not (undecided or self.tables) or rung.verdict is not Verdict.DIFFERENT:
            return rung
        reason = "rests on the weight map, rung 1"
        if self.tables:
            names = ", ".join(self.tables)
            reason = f"rests on {names}, kept in float32 by PyTorch only: compute it in the inputs' dtype in both"
        return replace(rung, verdict=Verdict.INCONCLUSIVE, reason=reason)

    def _not_in_float64(self, rung: Rung) -> list[str]:
        """What a side cannot compute in float64, if that explains all that differs on the rung."""
        sides = [getattr(passes, side)["float64"] for passes in self.state.passes.values() for side in FRAMEWORKS]
        odd = [finding for finding in rung.findings if finding.verdict is Verdict.DIFFERENT]
        explained = bool(odd) and all(map(within_float32, odd))
        return list(dict.fromkeys(place for seen in sides for place in seen.unwidened)) if explained else []

    def report(self) -> Report:
        """The report on the rungs that were ruled so far; it is made anew at each call, and changes nothing."""
        state, original = self.state, self.state.original or self.state
        sides, layers = state.sides, self._layers(original)
        counted = [rung for rung in self.rungs if not excusing(self.conventions, rung.number)]
        first, script, arrays = self.explanations.beyond(counted, self.located), "", b""
        if first is None:
            confirmed = {convention.name for convention in self.conventions if convention.confirmed}
            difference = first_difference(counted, layers, state.weight_map, state.lints, confirmed)
            first = headed(self.explanations.of(difference, original, counted), counted)
            script, arrays = self.explanations.script(original, self.request.name)
        mode = mode_not_switched(original)
        if mode and first is not None and first.mode != "evaluation":
            first = replace(first, text=f"{mode}: {first.text}")
        calls, passes = state.calls["evaluation"], state.passes["evaluation"]
        return Report(
            name=self.request.name,
            verdict=worst(rung.verdict for rung in counted),
            rungs=list(self.rungs),
            first_difference=first,
            layers=layers,
            weights=table(state),
            lints=list(state.lints),
            conventions=list(self.conventions),
            coverage=coverage(state.weight_map, sides, calls, passes),
            losses=dict(state.losses),
            repro_script=script,
            repro_arrays=arrays,
            notes=[*([mode] if mode else []), *state.notes, *_narrow_casts(state), *_computed_elsewhere(state)],
            not_run=dict(self.not_run),
            seconds=self.clock.seconds,
            seed=sides.seed,
            device=" and ".join(dict.fromkeys((sides.flax.device, sides.torch.device))),
            inputs=described(sides.inputs),
        )

    def _layers(self, original: CheckState) -> list[Layer]:
        """The layers as they were, with the gradients that rung 3 rules on, which are without what was undone, and with
        what each introduces itself."""
        shown = [layer for compared in original.compared.values() for layer in compared.layers]
        ruled = [layer for compared in self.state.compared.values() for layer in compared.layers]
        gradients = {(layer.flax, layer.torch, layer.mode): layer.gradient for layer in ruled}
        return [
            replace(
                layer,
                gradient=gradients.get((layer.flax, layer.torch, layer.mode)),
                alone=self.alone.get((layer.torch, layer.mode)),
            )
            for layer in shown
        ]


def _narrow_casts(state: CheckState) -> list[str]:
    """Notes on casts to a narrower type that were found in evaluation."""
    notes = []
    for side in ("flax", "torch"):
        seen = getattr(state.passes["evaluation"], side)["float64"]
        notes += [
            f"{side}: {call or 'network'} gives {dtype} where float64 was asked for"
            for call, dtype in seen.narrow.items()
        ]
        notes += [f"{side}: {cast.place} casts to {cast.dtype}; undone in the float64 passes" for cast in seen.undone]
        notes += [f"{side}: {place} computes in float32 in the float64 passes too" for place in seen.unwidened]
    return notes


def _computed_elsewhere(state: CheckState) -> list[str]:
    """Notes on layers in which the sides differ though what they return does not."""
    layers = (layer for compared in state.compared.values() for layer in compared.otherwise)
    names = dict.fromkeys((layer.flax, layer.torch) for layer in layers)
    return [f"{a} and {b} compute something else, and the networks' results agree: not compared" for a, b in names]
