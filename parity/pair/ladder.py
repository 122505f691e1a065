"""The rungs of a check that were ruled so far, and the report on them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parity.checks.verdict import Finding, Rung, Verdict, worst
from parity.pair.arrays.inputs import described
from parity.pair.causes.explained import only_probes
from parity.pair.causes.first_difference import first_difference, with_padding
from parity.pair.causes.from_numbers import with_clue
from parity.pair.passes.progress import Progress
from parity.pair.passes.work import CheckState
from parity.pair.repro.script import reproduced
from parity.pair.rungs.map_table import coverage, table
from parity.pair.rungs.probes import Located
from parity.pair.rungs.structure import unpaired
from parity.report.pair import Report
from parity.report.records import Convention, Difference, Layer, excusing

FORWARD = 2
"""Number of the rung that probes belong to."""


class Clock:
    """Seconds of the parts of a check, and of the whole."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._parts: dict[str, float] = {}

    def mark(self, part: str) -> None:
        """A part has ended."""
        now = time.perf_counter()
        self._parts[part], self._last = now - self._last, now

    @property
    def seconds(self) -> dict[str, float]:
        """By part."""
        return {**self._parts, "total": time.perf_counter() - self._started}


@dataclass
class LadderRun:
    """What was ruled so far.

    Args:
        name: of the pair.
        work: what is known.
        watch: is told of every rung.
        clock: times the parts.
        tables: buffers in float32 that explain a difference by themselves.
        alone: what layers introduce themselves, by the name of PyTorch's call and the mode.
        rungs, conventions: found so far.
        not_run: why a rung was not climbed, by number.
        located: what both sides showed on the first probe that they differ at.
    """

    name: str
    work: CheckState
    watch: Progress
    clock: Clock
    tables: Sequence[str] = ()
    alone: Mapping[tuple[str, str], Finding] = field(default_factory=dict)
    rungs: list[Rung] = field(default_factory=list)
    conventions: list[Convention] = field(default_factory=list)
    not_run: dict[int, str] = field(default_factory=dict)
    located: Located | None = None
    _made_of: Difference | None = None
    _made: tuple[Difference | None, str, bytes] = None, "", b""

    def ruled(self, one: Rung) -> None:
        """A rung was ruled; one of the same number, which it was only a part of, is no longer there."""
        others = [other for other in self.rungs if other.number != one.number]
        self.rungs = sorted([*others, self._rested(one)], key=lambda rung: rung.number)
        self.watch.ruled(self.report)

    def _rested(self, one: Rung) -> Rung:
        """A rung that rests on an undecided map, or on tables kept in float32, cannot be called different."""
        work = self.work
        undecided = work.proof.undecided or unpaired(work.match)
        if work.proof.agrees or not (undecided or self.tables) or one.verdict is not Verdict.DIFFERENT:
            return one
        reason = "rests on the weight map, rung 1"
        if self.tables:
            names = ", ".join(self.tables)
            reason = f"rests on {names}, kept in float32 by PyTorch only: compute it in the inputs' dtype in both"
        return replace(one, verdict=Verdict.INCONCLUSIVE, reason=reason)

    def report(self) -> Report:
        """The report so far."""
        work, original = self.work, self.work.original or self.work
        layers = self._layers(original)
        counted = [one for one in self.rungs if not excusing(self.conventions, one.number)]
        beyond = self._beyond(counted)
        found = beyond or first_difference(counted, layers, work.match, work.lints)
        first, script, arrays = (beyond, "", b"") if beyond else self._shown(found, original)
        return Report(
            name=self.name,
            verdict=worst(one.verdict for one in counted),
            rungs=list(self.rungs),
            first_difference=first,
            layers=layers,
            weights=table(work),
            lints=list(work.lints),
            conventions=list(self.conventions),
            coverage=coverage(work.match, work.couple, work.joints["evaluation"], work.views["evaluation"]),
            losses=dict(work.losses),
            repro_script=script,
            repro_arrays=arrays,
            notes=[*work.notes, *_casts(work), *_otherwise(work)],
            not_run=dict(self.not_run),
            seconds=self.clock.seconds,
            seed=work.couple.seed,
            device=" and ".join(dict.fromkeys((work.couple.flax.device, work.couple.torch.device))),
            inputs=described(work.couple.inputs),
        )

    def _beyond(self, rungs: Sequence[Rung]) -> Difference | None:
        """The first difference, where it is one that only a probe shows: where the networks part on that probe."""
        failed = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
        if failed is None or self.located is None or not only_probes(failed):
            return None
        work, name = self.located.work, self.located.name
        shown = [rung for rung in (failed,) if rung.number == FORWARD]
        found = first_difference(shown, work.compared["evaluation"].layers, work.match, work.lints)
        clue = with_clue(found, work)
        if clue is None:
            return None
        clue = clue if clue.cause else with_padding(clue, work.lints)
        return replace(clue, text=f"the same on your inputs; different with {name}: {clue.text}")

    def _layers(self, original: CheckState) -> list[Layer]:
        """The layers as they were, with the gradients that rung 3 rules on, which are without what was undone, and with
        what each introduces itself."""
        shown = [layer for one in original.compared.values() for layer in one.layers]
        ruled = {(a.flax, a.torch, a.mode): a.gradient for one in self.work.compared.values() for a in one.layers}
        return [
            replace(a, gradient=ruled.get((a.flax, a.torch, a.mode)), alone=self.alone.get((a.torch, a.mode)))
            for a in shown
        ]

    def _shown(self, first: Difference | None, original: CheckState) -> tuple[Difference | None, str, bytes]:
        """The first difference with what the numbers say of it, the script that reproduces it and what it reads, made
        once for each difference."""
        if first != self._made_of:
            self._made_of = first
            self._made = with_clue(first, original), *reproduced(first, original, self.name)
        return self._made


def _casts(work: CheckState) -> list[str]:
    """Hard casts that were found."""
    notes = []
    for side in ("flax", "torch"):
        seen = getattr(work.views["evaluation"], side)["float64"]
        notes += [
            f"{side}: {call or 'network'} gives {dtype} where float64 was asked for"
            for call, dtype in seen.narrow.items()
        ]
        notes += [
            f"{side}: {path or 'network'} casts to a narrower type; undone in the float64 passes"
            for path in seen.undone
        ]
    return notes


def _otherwise(work: CheckState) -> list[str]:
    """Layers in which the sides differ though what they return does not."""
    found = dict.fromkeys((one.flax, one.torch) for c in work.compared.values() for one in c.otherwise)
    return [f"{a} and {b} compute something else, and the networks' results agree: not compared" for a, b in found]
